"""The public names of constructs_lib, with what they take and return; written by `make public-api`.

A class also has what it inherits from classes that are not public. Keywords are in the order of their names; `...` is a
default that the signature does not have.
"""

class Access:
    @staticmethod
    def api_keys() -> AccessMethod: ...
    @staticmethod
    def authorizer(
        function: lambda_.IFunction, *, ttl: Duration | None = None, usage_plans: bool = False
    ) -> AccessMethod: ...
    @staticmethod
    def cognito(
        user_pool: cognito.IUserPool,
        clients: Sequence[cognito.IUserPoolClient],
        *,
        models_by_scope: Mapping[str, Sequence[str]] | None = None,
    ) -> AccessMethod: ...
    @staticmethod
    def iam() -> AccessMethod: ...
    @staticmethod
    def jwt(
        *,
        audience: str | Sequence[str],
        issuer: str,
        jwks: str | Path | None = None,
        models_by_scope: Mapping[str, Sequence[str]] | None = None,
    ) -> AccessMethod: ...
    @staticmethod
    def public() -> AccessMethod: ...

class AccessMethod(ABC):
    denies_unlisted_callers: bool
    display_name: str
    uses_iam: bool
    def bind(
        self, scope: Construct, *, log_retention: logs.RetentionDays, protection: FunctionProtection
    ) -> AccessBinding: ...
    @property
    def fetches_keys(self) -> bool: ...
    @property
    def models_by_scope(self) -> Mapping[str, Sequence[str]] | None: ...
    @property
    def uses_api_keys(self) -> bool: ...
    def validate(self) -> Iterator[Problem]: ...
    @property
    def warning(self) -> PlanWarning | None: ...

class AsyncTgiEndpoint(Resource):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        backlog_per_instance: float | None = None,
        bucket: s3.IBucket,
        detailed_observability: bool | None = ...,
        endpoint_name: str | None = ...,
        environment: Mapping[str, str] | None = ...,
        error_topic: sns.ITopic | None = None,
        failure_prefix: str = "async/failures",
        image: TgiImage | None = None,
        include_response_in: Sequence[Literal["success", "error"]] = (),
        inference_ami_version: str | None = ...,
        input_bucket: s3.IBucket | None = None,
        input_prefix: str = "async/input",
        instance_provision_timeout: Duration | None = ...,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        max_concurrent_invocations: int | None = None,
        max_instances: int = 1,
        min_instances: int = 0,
        model: Model,
        model_download_timeout: Duration | None = ...,
        network_isolation: bool = ...,
        options: TgiOptions | None = None,
        output_key: kms.IKey | None = None,
        output_prefix: str = "async/output",
        request_tokens: int | None = None,
        role: iam.IRole | None = ...,
        rollout: Rollout | None = ...,
        security_groups: Sequence[ec2.ISecurityGroup] | None = ...,
        startup_timeout: Duration | None = ...,
        success_topic: sns.ITopic | None = None,
        tags: Mapping[str, str] | None = ...,
        variant_name: str = ...,
        volume_key: kms.IKey | None = ...,
        volume_size: Size | None = ...,
        vpc: ec2.IVpc | None = ...,
        vpc_subnets: ec2.SubnetSelection | None = ...,
    ) -> None: ...
    @property
    def adapter_components(self) -> Mapping[str, str]: ...
    @property
    def capacity(self) -> Capacity: ...
    @property
    def connections(self) -> ec2.Connections: ...
    def describe_price(self, *, front_door_memory: float | None = None) -> str | None: ...
    @property
    def endpoint_arn(self) -> str: ...
    @property
    def endpoint_name(self) -> str: ...
    @property
    def endpoint_ref(self) -> EndpointReference: ...
    @property
    def engine(self) -> str: ...
    @property
    def env(self) -> ResourceEnvironment: ...
    @property
    def failure_url(self) -> str: ...
    def grant_invoke_async(self, grantee: iam.IGrantable) -> iam.Grant: ...
    @property
    def grant_principal(self) -> iam.IPrincipal: ...
    @property
    def has_room_for_rollback_alarm(self) -> bool: ...
    @property
    def inference_component_name(self) -> str | None: ...
    @property
    def input_url(self) -> str: ...
    @property
    def max_concurrent_invocations(self) -> int: ...
    def metric(
        self,
        metric_name: str,
        *,
        color: str = ...,
        label: str = ...,
        namespace: str = "AWS/SageMaker",
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_age_of_oldest_request(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_backlog(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_backlog_per_instance(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_backlog_without_capacity(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_cpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_disk_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_expired_requests(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_4xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_5xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_failures(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocations_processed(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_model_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_notification_failures(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_request_download_failures(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_request_download_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_response_upload_failures(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_response_upload_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_time_in_backlog(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_total_processing_time(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    @property
    def model_id(self) -> str | None: ...
    def monitor(
        self,
        *,
        delivery_failures: int | None = ...,
        expired: int | None = ...,
        failures: int | None = ...,
        oldest_request: Duration | None = ...,
        runbook: str = "docs/operations.md",
        topic: sns.ITopic | None = None,
    ) -> None: ...
    @property
    def node(self) -> Node: ...
    @property
    def output_url(self) -> str: ...
    @property
    def role(self) -> iam.IRole: ...
    def roll_back_on(self, *alarms: cloudwatch.IAlarm) -> None: ...
    @property
    def serving(self) -> ServingFacts: ...
    def set_capacity_range(self, min_instances: int, max_instances: int) -> None: ...
    def take_rollback_alarm(self, alarm: cloudwatch.CfnAlarm) -> None: ...
    @property
    def variant_name(self) -> str: ...
    @property
    def wake(self) -> WakeFacts | None: ...
    @property
    def wants_rollback_alarms(self) -> bool: ...

class Attention(StrEnum):
    FLASHDECODING = "flashdecoding"
    FLASHINFER = "flashinfer"
    PAGED = "paged"

class AutoCastType(StrEnum):
    BF16 = "bf16"
    FP16 = "fp16"

class CapacityReservation:
    arn: str
    def __init__(self, *, arn: str) -> None: ...

class CheapestFor:
    concurrency: int
    tokens: int
    def __init__(self, *, concurrency: int = 1, tokens: int) -> None: ...

class ConfigurationError(ValueError):
    path: str
    problems: tuple[Problem, ...]
    def __init__(self, path: str, problems: Iterable[Problem]) -> None: ...

class Consumer(Construct):
    key_id: str
    key_ids: Mapping[str, str]
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        burst: float,
        description: str,
        encryption_key: kms.IKey | None,
        keys: Sequence[str],
        monthly_requests: float | None,
        rate: float,
        rest_api_id: str,
        stage_name: str,
    ) -> None: ...
    @property
    def api_key(self) -> apigateway.IApiKey: ...
    def grant_read_keys(self, grantee: iam.IGrantable) -> None: ...
    @property
    def secrets(self) -> Mapping[str, secretsmanager.ISecret]: ...
    @property
    def usage_plan(self) -> apigateway.IUsagePlan: ...

class ContainerEndpoint(Resource):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        capacity_reservation: CapacityReservation | None = ...,
        data_capture: DataCapture | None = ...,
        detailed_observability: bool | None = ...,
        endpoint_name: str | None = ...,
        environment: Mapping[str, str] | None = ...,
        image: OwnImage,
        inference_ami_version: str | None = ...,
        instance_count: int = ...,
        instance_provision_timeout: Duration | None = ...,
        instance_type: InstanceType | Sequence[InstanceType],
        max_body_bytes: int = 6291456,
        model: Model | None = None,
        model_download_timeout: Duration | None = ...,
        network_isolation: bool = ...,
        protocol: ContainerProtocol,
        replace_on_instance_type_change: bool = ...,
        role: iam.IRole | None = ...,
        rollout: Rollout | None = ...,
        routing: Routing | None = ...,
        scale_to_zero: ScaleToZero | None = ...,
        security_groups: Sequence[ec2.ISecurityGroup] | None = ...,
        serving: ServingFacts | None = None,
        startup_timeout: Duration | None = ...,
        tags: Mapping[str, str] | None = ...,
        variant_name: str = ...,
        variant_weight: float = ...,
        volume_key: kms.IKey | None = ...,
        volume_size: Size | None = ...,
        vpc: ec2.IVpc | None = ...,
        vpc_subnets: ec2.SubnetSelection | None = ...,
    ) -> None: ...
    @property
    def adapter_components(self) -> Mapping[str, str]: ...
    def add_variant(
        self,
        id: str,
        *,
        capacity_reservation: CapacityReservation | None = None,
        environment: Mapping[str, str] | None = None,
        image: ContainerImage | None = None,
        inference_ami_version: str | None = None,
        instance_count: int = 1,
        instance_provision_timeout: Duration | None = None,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType] | None = None,
        model: Model | None = None,
        model_download_timeout: Duration | None = None,
        options: Any = None,
        routing: Routing | None = None,
        startup_timeout: Duration | None = None,
        volume_size: Size | None = None,
        weight: float,
    ) -> ModelVariant: ...
    def auto_scale(
        self, *, max_instances: int, min_instances: int = 1, request_tokens: int | None = None
    ) -> EndpointScaling: ...
    @property
    def capacity(self) -> Capacity: ...
    @property
    def connections(self) -> ec2.Connections: ...
    @property
    def deployed(self) -> DeployedModel: ...
    def describe_price(self, *, front_door_memory: float | None = None) -> str | None: ...
    @property
    def endpoint_arn(self) -> str: ...
    @property
    def endpoint_name(self) -> str: ...
    @property
    def endpoint_ref(self) -> EndpointReference: ...
    @property
    def engine(self) -> str: ...
    @property
    def env(self) -> ResourceEnvironment: ...
    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant: ...
    @property
    def grant_principal(self) -> iam.IPrincipal: ...
    @property
    def has_room_for_rollback_alarm(self) -> bool: ...
    @property
    def held(self) -> Held | None: ...
    @property
    def host(self) -> ModelHost: ...
    @property
    def inference_component_name(self) -> str | None: ...
    def keep_instance_count(self) -> None: ...
    @property
    def max_body_bytes(self) -> int: ...
    def metric(
        self,
        metric_name: str,
        *,
        color: str = ...,
        label: str = ...,
        namespace: str = "AWS/SageMaker",
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_concurrent_requests(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_cpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_disk_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_first_chunk_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_first_chunk_model_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_4xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_5xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_model_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocations(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocations_per_instance(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_mid_stream_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_model_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_overhead_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    @property
    def model_id(self) -> str | None: ...
    def monitor(self, *, runbook: str = "docs/operations.md", topic: sns.ITopic | None = None) -> None: ...
    @property
    def node(self) -> Node: ...
    @property
    def role(self) -> iam.IRole: ...
    def roll_back_on(self, *alarms: cloudwatch.IAlarm) -> None: ...
    @property
    def serving(self) -> ServingFacts: ...
    def set_capacity_range(self, min_instances: int, max_instances: int) -> None: ...
    def take_rollback_alarm(self, alarm: cloudwatch.CfnAlarm) -> None: ...
    @property
    def variant_name(self) -> str: ...
    @property
    def variants(self) -> tuple[ModelVariant, ...]: ...
    @property
    def wake(self) -> WakeFacts | None: ...
    @property
    def wants_rollback_alarms(self) -> bool: ...

class ContainerProtocol(StrEnum):
    OPENAI = "openai"
    TGI = "tgi"

class Cors:
    allowed_origins: Sequence[str]
    def __init__(self, *, allowed_origins: Sequence[str]) -> None: ...
    def gateway_headers(self) -> dict[str, str]: ...

class Dashboard(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dashboard_name: str | None = None,
        endpoints: Sequence[EndpointResource] | None = None,
        front_doors: Sequence[FrontDoor] | None = None,
        runbook: str = "docs/operations.md",
    ) -> None: ...
    @property
    def dashboard_name(self) -> str: ...

class DataCapture:
    bucket: s3.IBucket
    json_content_types: Sequence[str]
    key: kms.IKey | None
    prefix: str
    sampling_percentage: int
    what: Literal["both", "input", "output"]
    def __init__(
        self,
        *,
        bucket: s3.IBucket,
        json_content_types: Sequence[str] = ("application/json",),
        key: kms.IKey | None = None,
        prefix: str = "data-capture",
        sampling_percentage: int = 10,
        what: Literal["both", "input", "output"] = "both",
    ) -> None: ...
    @property
    def encryption_key(self) -> kms.IKey | None: ...
    @property
    def folder(self) -> str: ...
    def render(self) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty: ...

class Domain:
    certificate: acm.ICertificate
    hosted_zone: route53.IHostedZone | None
    name: str
    def __init__(
        self, name: str, certificate: acm.ICertificate, hosted_zone: route53.IHostedZone | None = None
    ) -> None: ...
    def bind(self, scope: Construct, *, rest_api_id: str, stage_name: str) -> None: ...
    def bind_private(
        self,
        scope: Construct,
        *,
        policy: dict[str, Any] | None,
        rest_api_id: str,
        stage_name: str,
        vpc_endpoints: Sequence[ec2.IVpcEndpoint],
    ) -> None: ...
    def validate(self, region: str, *, private: bool) -> Iterator[Problem]: ...

class Dtype(StrEnum):
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"

class EndpointScaling(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        after: CfnResource | None = None,
        maximum: int,
        minimum: int,
        plan: EndpointPlan | None = None,
        request_tokens: int | None = None,
        resource: ScaledResource,
        scales_in: bool = True,
        tell_range: Callable[[int, int], None] | None = None,
    ) -> None: ...
    def on_concurrency(
        self, *, scale_in_cooldown: Duration = ..., scale_out_cooldown: Duration = ..., target: float | None = None
    ) -> None: ...
    def on_invocations(
        self, *, per_minute: float, scale_in_cooldown: Duration = ..., scale_out_cooldown: Duration = ...
    ) -> None: ...
    def on_metric(
        self,
        metric: cloudwatch.IMetric,
        *,
        id: str | None = None,
        scale_in_cooldown: Duration = ...,
        scale_out_cooldown: Duration = ...,
        target: float,
    ) -> None: ...
    def on_schedule(
        self, *when: str, maximum: int | None = None, minimum: int | None = None, time_zone: str
    ) -> None: ...
    @property
    def scalable_target(self) -> autoscaling.CfnScalableTarget: ...

class EngineEndpoint(Resource):
    ENGINE: Engine
    IMAGE: type[EngineImage]
    def __init__(
        self,
        scope: Construct,
        id: str,
        given: EndpointOptions,
        *,
        adapters: Sequence[LoraAdapter] = (),
        image: EngineImage | None,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        model: Model,
        options: Any,
    ) -> None: ...
    @property
    def adapter_components(self) -> Mapping[str, str]: ...
    def add_variant(
        self,
        id: str,
        *,
        capacity_reservation: CapacityReservation | None = None,
        environment: Mapping[str, str] | None = None,
        image: ContainerImage | None = None,
        inference_ami_version: str | None = None,
        instance_count: int = 1,
        instance_provision_timeout: Duration | None = None,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType] | None = None,
        model: Model | None = None,
        model_download_timeout: Duration | None = None,
        options: Any = None,
        routing: Routing | None = None,
        startup_timeout: Duration | None = None,
        volume_size: Size | None = None,
        weight: float,
    ) -> ModelVariant: ...
    def auto_scale(
        self, *, max_instances: int, min_instances: int = 1, request_tokens: int | None = None
    ) -> EndpointScaling: ...
    @property
    def capacity(self) -> Capacity: ...
    @property
    def connections(self) -> ec2.Connections: ...
    @property
    def deployed(self) -> DeployedModel: ...
    def describe_price(self, *, front_door_memory: float | None = None) -> str | None: ...
    @property
    def endpoint_arn(self) -> str: ...
    @property
    def endpoint_name(self) -> str: ...
    @property
    def endpoint_ref(self) -> EndpointReference: ...
    @property
    def engine(self) -> str: ...
    @property
    def env(self) -> ResourceEnvironment: ...
    @classmethod
    def from_endpoint_arn(
        cls,
        scope: Construct,
        id: str,
        endpoint_arn: str,
        *,
        adapters: Sequence[str] = ...,
        chat: bool = ...,
        completions: bool = ...,
        dtype: str = ...,
        enable_prefill_logprobs: bool = ...,
        endpoint_name: str | None = None,
        inference_component_name: str | None = None,
        max_batch_total_tokens: int = ...,
        max_best_of: int = ...,
        max_body_bytes: int = 6291456,
        max_client_batch_size: int = ...,
        max_concurrent_requests: int = ...,
        max_input_tokens: int = ...,
        max_stop_sequences: int = ...,
        max_top_n_tokens: int = ...,
        max_total_tokens: int = ...,
        model_id: str | None = None,
        overload_statuses: Sequence[int] = ...,
        processed_logprobs: bool = ...,
        quantize: str = ...,
        reads_images: bool = ...,
        revision: str = ...,
        stream_format: StreamFormat = ...,
        tools: bool = ...,
        variant_name: str = "AllTraffic",
        version: str = ...,
        wake_seconds: int | None = None,
    ) -> ImportedEndpoint: ...
    @classmethod
    def from_endpoint_name(
        cls,
        scope: Construct,
        id: str,
        endpoint_name: str,
        *,
        adapters: Sequence[str] = ...,
        chat: bool = ...,
        completions: bool = ...,
        dtype: str = ...,
        enable_prefill_logprobs: bool = ...,
        inference_component_name: str | None = None,
        max_batch_total_tokens: int = ...,
        max_best_of: int = ...,
        max_body_bytes: int = 6291456,
        max_client_batch_size: int = ...,
        max_concurrent_requests: int = ...,
        max_input_tokens: int = ...,
        max_stop_sequences: int = ...,
        max_top_n_tokens: int = ...,
        max_total_tokens: int = ...,
        model_id: str | None = None,
        overload_statuses: Sequence[int] = ...,
        processed_logprobs: bool = ...,
        quantize: str = ...,
        reads_images: bool = ...,
        revision: str = ...,
        stream_format: StreamFormat = ...,
        tools: bool = ...,
        variant_name: str = "AllTraffic",
        version: str = ...,
        wake_seconds: int | None = None,
    ) -> ImportedEndpoint: ...
    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant: ...
    @property
    def grant_principal(self) -> iam.IPrincipal: ...
    @property
    def has_room_for_rollback_alarm(self) -> bool: ...
    @property
    def held(self) -> Held | None: ...
    @property
    def host(self) -> ModelHost: ...
    @property
    def inference_component_name(self) -> str | None: ...
    def keep_instance_count(self) -> None: ...
    @property
    def max_body_bytes(self) -> int: ...
    def metric(
        self,
        metric_name: str,
        *,
        color: str = ...,
        label: str = ...,
        namespace: str = "AWS/SageMaker",
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_concurrent_requests(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_cpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_disk_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_first_chunk_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_first_chunk_model_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_4xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_5xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_model_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocations(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocations_per_instance(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_mid_stream_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_model_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_overhead_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    @property
    def model_id(self) -> str | None: ...
    def monitor(self, *, runbook: str = "docs/operations.md", topic: sns.ITopic | None = None) -> None: ...
    @property
    def node(self) -> Node: ...
    @property
    def role(self) -> iam.IRole: ...
    def roll_back_on(self, *alarms: cloudwatch.IAlarm) -> None: ...
    @property
    def serving(self) -> ServingFacts: ...
    def set_capacity_range(self, min_instances: int, max_instances: int) -> None: ...
    def take_rollback_alarm(self, alarm: cloudwatch.CfnAlarm) -> None: ...
    @property
    def variant_name(self) -> str: ...
    @property
    def variants(self) -> tuple[ModelVariant, ...]: ...
    @property
    def wake(self) -> WakeFacts | None: ...
    @property
    def wants_rollback_alarms(self) -> bool: ...

class Fallback:
    endpoints: Sequence[IModelEndpoint]
    def __init__(self, endpoints: Sequence[IModelEndpoint]) -> None: ...

class FleetModel:
    concurrency_target: float | None
    copies: tuple[int, int]
    environment: Mapping[str, str] | None
    image: ContainerImage | None
    model: Model
    model_download_timeout: Duration | None
    options: Any
    request_tokens: int | None
    rollout: Rollout | None
    scale_to_zero: ScaleToZero | None
    startup_timeout: Duration | None
    def __init__(
        self,
        *,
        concurrency_target: float | None = None,
        copies: tuple[int, int] = (1, 1),
        environment: Mapping[str, str] | None = None,
        image: ContainerImage | None = None,
        model: Model,
        model_download_timeout: Duration | None = None,
        options: Any = None,
        request_tokens: int | None = None,
        rollout: Rollout | None = None,
        scale_to_zero: ScaleToZero | None = None,
        startup_timeout: Duration | None = None,
    ) -> None: ...
    @property
    def container_image(self) -> Any: ...
    @property
    def engine(self) -> Engine: ...
    def problems(self, asked: EndpointRequest, plan: EndpointPlan) -> Iterator[Problem]: ...
    @property
    def range_of_copies(self) -> Any: ...

class FrontDoor(Construct):
    memory_size: float
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        access: AccessMethod | None = None,
        burst_limit: float = 200,
        cloud_watch_role: bool = True,
        cors: Cors | None = None,
        count_tokens: Sequence[str] | None = None,
        default_max_tokens: int | None = None,
        domain: Domain | None = None,
        encryption_key: kms.IKey | None = None,
        execution_logging: bool | None = None,
        hardened: bool = False,
        log_retention: logs.RetentionDays | None = None,
        memory_size: float = 256,
        mirror_concurrency: float | None = None,
        mirror_timeout: Duration | None = None,
        model_aliases: Mapping[str, str] | None = None,
        models: Mapping[str, RoutedModel],
        on_store_failure: Literal["open", "closed"] = "open",
        on_wake: Literal["hold"] | None = None,
        playground: bool = False,
        rate_limit: float = 100,
        reserved_concurrency: float | None = None,
        resource_policy: iam.PolicyDocument | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        service_endpoints: bool = False,
        streaming: bool = True,
        timeout: Duration | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_endpoints: Sequence[ec2.IVpcEndpoint] | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        wake: bool = False,
        web_acl: WebAcl | None = None,
    ) -> None: ...
    def add_consumer(
        self,
        id: str,
        *,
        burst: float | None = None,
        concurrent_streams: int | None = None,
        keys: Sequence[str] = (ORIGINAL_KEY,),
        models: Sequence[str] | None = None,
        monthly_requests: float | None = None,
        rate: float | None = None,
        tokens_per_day: int | None = None,
        tokens_per_minute: int | None = None,
        tokens_per_month: int | None = None,
    ) -> Consumer: ...
    def add_smoke_test(self, *, timeout: Duration | None = None) -> None: ...
    @property
    def api(self) -> apigateway.IRestApi: ...
    @property
    def api_name(self) -> str: ...
    @property
    def endpoints(self) -> tuple[IModelEndpoint, ...]: ...
    @property
    def function(self) -> lambda_.IFunction: ...
    @property
    def function_resource(self) -> lambda_.CfnFunction: ...
    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant: ...
    @property
    def log_group_name(self) -> str: ...
    def metric(
        self,
        metric_name: str,
        *,
        color: str = ...,
        label: str = ...,
        mirror: str | None = None,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_client_errors(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_duration(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_fallbacks(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_generated_tokens(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_prompt_tokens(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_refused(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_requests(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_retries(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_server_errors(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_store_failures(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_time_to_first_token(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_tokens_per_second(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_upstream_time(
        self,
        *,
        color: str = ...,
        label: str = ...,
        model: str | None = None,
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    @property
    def models(self) -> Mapping[str, RoutedModel]: ...
    def monitor(
        self,
        *,
        availability_objective: float | None = ...,
        concurrency: int | None = ...,
        fallbacks: float | None = ...,
        first_token_objective: tuple[float, Duration] | None = ...,
        function_errors: int | None = ...,
        gateway_errors: float | None = ...,
        overload: float | None = ...,
        runbook: str = "docs/operations.md",
        server_errors: float | None = ...,
        store_failures: int | None = ...,
        throttles: int | None = ...,
        time_to_first_token: Duration | None = ...,
        topic: sns.ITopic | None = None,
    ) -> None: ...
    @property
    def node(self) -> Node: ...
    @property
    def stage(self) -> apigateway.IStage: ...
    @property
    def url(self) -> str: ...

class IModelEndpoint(Protocol):
    @property
    def adapter_components(self) -> Mapping[str, str]: ...
    @property
    def endpoint_arn(self) -> str: ...
    @property
    def endpoint_name(self) -> str: ...
    @property
    def engine(self) -> str: ...
    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant: ...
    @property
    def inference_component_name(self) -> str | None: ...
    @property
    def max_body_bytes(self) -> int: ...
    @property
    def model_id(self) -> str | None: ...
    @property
    def serving(self) -> ServingFacts: ...
    @property
    def wake(self) -> WakeFacts | None: ...

class IamNames:
    def __init__(self, *, path: str | None = None, prefix: str | None = None) -> None: ...
    def visit(self, node: IConstruct) -> None: ...

class ImageMirror:
    account: str | None
    prefix: str
    pull_through_cache: bool
    def __init__(self, *, account: str | None = None, prefix: str = "", pull_through_cache: bool = False) -> None: ...

class InstanceType:
    G4DN_12XLARGE: InstanceType
    G4DN_16XLARGE: InstanceType
    G4DN_2XLARGE: InstanceType
    G4DN_4XLARGE: InstanceType
    G4DN_8XLARGE: InstanceType
    G4DN_XLARGE: InstanceType
    G5_12XLARGE: InstanceType
    G5_16XLARGE: InstanceType
    G5_24XLARGE: InstanceType
    G5_2XLARGE: InstanceType
    G5_48XLARGE: InstanceType
    G5_4XLARGE: InstanceType
    G5_8XLARGE: InstanceType
    G5_XLARGE: InstanceType
    G6E_12XLARGE: InstanceType
    G6E_16XLARGE: InstanceType
    G6E_24XLARGE: InstanceType
    G6E_2XLARGE: InstanceType
    G6E_48XLARGE: InstanceType
    G6E_4XLARGE: InstanceType
    G6E_8XLARGE: InstanceType
    G6E_XLARGE: InstanceType
    G6_12XLARGE: InstanceType
    G6_16XLARGE: InstanceType
    G6_24XLARGE: InstanceType
    G6_2XLARGE: InstanceType
    G6_48XLARGE: InstanceType
    G6_4XLARGE: InstanceType
    G6_8XLARGE: InstanceType
    G6_XLARGE: InstanceType
    G7E_12XLARGE: InstanceType
    G7E_24XLARGE: InstanceType
    G7E_2XLARGE: InstanceType
    G7E_48XLARGE: InstanceType
    G7E_4XLARGE: InstanceType
    G7E_8XLARGE: InstanceType
    G7_12XLARGE: InstanceType
    G7_24XLARGE: InstanceType
    G7_2XLARGE: InstanceType
    G7_48XLARGE: InstanceType
    G7_4XLARGE: InstanceType
    G7_8XLARGE: InstanceType
    INF2_24XLARGE: InstanceType
    INF2_48XLARGE: InstanceType
    INF2_8XLARGE: InstanceType
    INF2_XLARGE: InstanceType
    P4DE_24XLARGE: InstanceType
    P4D_24XLARGE: InstanceType
    P5EN_48XLARGE: InstanceType
    P5E_48XLARGE: InstanceType
    P5_48XLARGE: InstanceType
    P5_4XLARGE: InstanceType
    P6E_GB200_36XLARGE: InstanceType
    P6_B200_48XLARGE: InstanceType
    P6_B300_48XLARGE: InstanceType
    TRN1N_32XLARGE: InstanceType
    TRN1_2XLARGE: InstanceType
    TRN1_32XLARGE: InstanceType
    TRN2_48XLARGE: InstanceType
    accelerator: str
    accelerator_count: int | None
    architecture: Architecture
    compute_capability: tuple[int, int] | None
    cores_per_accelerator: int | None
    date: str | None
    host_memory_gib: float | None
    is_gpu: bool
    memory_gib: float | None
    name: str
    nvme_gb: int | None
    price_date: str | None
    price_is_derived: bool
    price_source: str | None
    price_usd_per_hour: float | None
    source: str
    vcpu: int | None
    volume_configurable: bool
    volume_rule_unverified: bool
    def __init__(
        self,
        name: str,
        accelerator: str,
        is_gpu: bool,
        compute_capability: tuple[int, int] | None,
        accelerator_count: int | None,
        memory_gib: float | None,
        vcpu: int | None = None,
        host_memory_gib: float | None = None,
        nvme_gb: int | None = None,
        volume_configurable: bool = False,
        volume_rule_unverified: bool = False,
        cores_per_accelerator: int | None = None,
        architecture: Architecture = "x86_64",
        price_usd_per_hour: float | None = None,
        price_is_derived: bool = False,
        price_source: str | None = None,
        price_date: str | None = None,
        source: str = "the caller",
        date: str | None = None,
    ) -> None: ...
    def accelerators_for(self, units: int) -> int: ...
    @classmethod
    def all(cls) -> tuple[InstanceType, ...]: ...
    @staticmethod
    def cheapest_for(*, concurrency: int = 1, tokens: int) -> CheapestFor: ...
    @property
    def family(self) -> str: ...
    @classmethod
    def named(cls, name: str) -> InstanceType: ...
    @classmethod
    def of(
        cls,
        name: str,
        *,
        accelerator: str = "unknown",
        accelerator_count: int,
        architecture: Architecture = "x86_64",
        compute_capability: tuple[int, int] | None = None,
        cores_per_accelerator: int | None = None,
        host_memory_gib: float | None = None,
        is_gpu: bool = True,
        memory_gib: float,
        nvme_gb: int | None = None,
        price_usd_per_hour: float | None = None,
        vcpu: int | None = None,
        volume_configurable: bool | None = None,
    ) -> InstanceType: ...
    @property
    def unit_count(self) -> int | None: ...
    @classmethod
    def without_accelerator(
        cls,
        name: str,
        *,
        architecture: Architecture = "x86_64",
        host_memory_gib: float | None = None,
        price_usd_per_hour: float | None = None,
        vcpu: int | None = None,
    ) -> InstanceType: ...

class JumpStartEndpoint(Resource):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        capacity_reservation: CapacityReservation | None = ...,
        data_capture: DataCapture | None = ...,
        detailed_observability: bool | None = ...,
        endpoint_name: str | None = ...,
        engine: Literal["tgi", "vllm", "sglang", "lmi", "openai"] | None = None,
        environment: Mapping[str, str] | None = ...,
        inference_ami_version: str | None = ...,
        instance_count: int = ...,
        instance_provision_timeout: Duration | None = ...,
        instance_type: InstanceType | Sequence[InstanceType],
        model: JumpStartModel,
        model_download_timeout: Duration | None = ...,
        network_isolation: bool = ...,
        replace_on_instance_type_change: bool = ...,
        role: iam.IRole | None = ...,
        rollout: Rollout | None = ...,
        routing: Routing | None = ...,
        scale_to_zero: ScaleToZero | None = ...,
        security_groups: Sequence[ec2.ISecurityGroup] | None = ...,
        startup_timeout: Duration | None = ...,
        tags: Mapping[str, str] | None = ...,
        variant_name: str = ...,
        variant_weight: float = ...,
        volume_key: kms.IKey | None = ...,
        volume_size: Size | None = ...,
        vpc: ec2.IVpc | None = ...,
        vpc_subnets: ec2.SubnetSelection | None = ...,
    ) -> None: ...
    @property
    def adapter_components(self) -> Mapping[str, str]: ...
    def add_variant(
        self,
        id: str,
        *,
        capacity_reservation: CapacityReservation | None = None,
        environment: Mapping[str, str] | None = None,
        image: ContainerImage | None = None,
        inference_ami_version: str | None = None,
        instance_count: int = 1,
        instance_provision_timeout: Duration | None = None,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType] | None = None,
        model: Model | None = None,
        model_download_timeout: Duration | None = None,
        options: Any = None,
        routing: Routing | None = None,
        startup_timeout: Duration | None = None,
        volume_size: Size | None = None,
        weight: float,
    ) -> ModelVariant: ...
    def auto_scale(
        self, *, max_instances: int, min_instances: int = 1, request_tokens: int | None = None
    ) -> EndpointScaling: ...
    @property
    def capacity(self) -> Capacity: ...
    @property
    def connections(self) -> ec2.Connections: ...
    @property
    def deployed(self) -> DeployedModel: ...
    def describe_price(self, *, front_door_memory: float | None = None) -> str | None: ...
    @property
    def endpoint_arn(self) -> str: ...
    @property
    def endpoint_name(self) -> str: ...
    @property
    def endpoint_ref(self) -> EndpointReference: ...
    @property
    def engine(self) -> str: ...
    @property
    def env(self) -> ResourceEnvironment: ...
    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant: ...
    @property
    def grant_principal(self) -> iam.IPrincipal: ...
    @property
    def has_room_for_rollback_alarm(self) -> bool: ...
    @property
    def held(self) -> Held | None: ...
    @property
    def host(self) -> ModelHost: ...
    @property
    def inference_component_name(self) -> str | None: ...
    def keep_instance_count(self) -> None: ...
    @property
    def max_body_bytes(self) -> int: ...
    def metric(
        self,
        metric_name: str,
        *,
        color: str = ...,
        label: str = ...,
        namespace: str = "AWS/SageMaker",
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_concurrent_requests(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_cpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_disk_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_first_chunk_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_first_chunk_model_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_4xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_5xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_model_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocations(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocations_per_instance(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_mid_stream_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_model_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_overhead_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    @property
    def model_id(self) -> str | None: ...
    def monitor(self, *, runbook: str = "docs/operations.md", topic: sns.ITopic | None = None) -> None: ...
    @property
    def node(self) -> Node: ...
    @property
    def role(self) -> iam.IRole: ...
    def roll_back_on(self, *alarms: cloudwatch.IAlarm) -> None: ...
    @property
    def serving(self) -> ServingFacts: ...
    def set_capacity_range(self, min_instances: int, max_instances: int) -> None: ...
    def take_rollback_alarm(self, alarm: cloudwatch.CfnAlarm) -> None: ...
    @property
    def variant_name(self) -> str: ...
    @property
    def variants(self) -> tuple[ModelVariant, ...]: ...
    @property
    def wake(self) -> WakeFacts | None: ...
    @property
    def wants_rollback_alarms(self) -> bool: ...

class JumpStartModel:
    def __init__(self, pinned: PinnedModel, *, accept_eula: bool = False) -> None: ...
    @property
    def accept_eula(self) -> bool: ...
    @staticmethod
    def from_file(path: str | os.PathLike[str], *, accept_eula: bool = False) -> JumpStartModel: ...
    @property
    def instance_types(self) -> tuple[str, ...]: ...
    @property
    def model_id(self) -> str: ...
    @property
    def pinned(self) -> PinnedModel: ...
    @property
    def version(self) -> str: ...

class KvCacheDtype(StrEnum):
    FP8_E4M3FN = "fp8_e4m3fn"
    FP8_E5M2 = "fp8_e5m2"

class LayerGroup:
    head_dim: int | None
    kv_heads: int | None
    layers: int
    state_bytes: int | None
    window: int | None
    def __init__(
        self,
        *,
        head_dim: int | None = None,
        kv_heads: int | None = None,
        layers: int,
        state_bytes: int | None = None,
        window: int | None = None,
    ) -> None: ...

class LmiDtype(StrEnum):
    BFLOAT16 = "bf16"
    FLOAT16 = "fp16"
    FLOAT32 = "fp32"

class LmiEndpoint(EngineEndpoint):
    ENGINE = LMI
    IMAGE = LmiImage
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        capacity_reservation: CapacityReservation | None = ...,
        data_capture: DataCapture | None = ...,
        detailed_observability: bool | None = ...,
        endpoint_name: str | None = ...,
        environment: Mapping[str, str] | None = ...,
        image: LmiImage | None = None,
        inference_ami_version: str | None = ...,
        instance_count: int = ...,
        instance_provision_timeout: Duration | None = ...,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        model: Model,
        model_download_timeout: Duration | None = ...,
        network_isolation: bool = ...,
        options: LmiOptions | None = None,
        replace_on_instance_type_change: bool = ...,
        role: iam.IRole | None = ...,
        rollout: Rollout | None = ...,
        routing: Routing | None = ...,
        scale_to_zero: ScaleToZero | None = ...,
        security_groups: Sequence[ec2.ISecurityGroup] | None = ...,
        startup_timeout: Duration | None = ...,
        tags: Mapping[str, str] | None = ...,
        variant_name: str = ...,
        variant_weight: float = ...,
        volume_key: kms.IKey | None = ...,
        volume_size: Size | None = ...,
        vpc: ec2.IVpc | None = ...,
        vpc_subnets: ec2.SubnetSelection | None = ...,
    ) -> None: ...

class LmiImage:
    FAMILY = LMI.images
    def __init__(self, spec: ImageChoice, source: ImageSource) -> None: ...
    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str: ...
    @classmethod
    def from_ecr_repository(
        cls, repository: ecr.IRepository, *, own_build: bool = False, tag: str, version: str
    ) -> Self: ...
    @classmethod
    def from_uri(cls, uri: str, *, own_build: bool = False, version: str) -> Self: ...
    def mirrored(self, mirror: ImageMirror, *, digest: str) -> Self: ...
    def spec(self) -> ImageChoice: ...
    def validate(self) -> list[Problem]: ...
    @classmethod
    def version(cls, version: str) -> Self: ...

class LmiKvCacheDtype(StrEnum):
    FP8 = "fp8"
    FP8_E4M3 = "fp8_e4m3"
    FP8_E5M2 = "fp8_e5m2"

class LmiOptions:
    chat_template: str | None
    chunked_read_timeout: int | None
    cpu_offload_gb: int | None
    dtype: LmiDtype | None
    enable_chunked_prefill: bool | None
    enable_lora: bool | None
    enable_prefix_caching: bool | None
    enforce_eager: bool | None
    extra_args: Mapping[str, str] | None
    generation_config: str | None
    gpu_memory_utilization: float | None
    hf_overrides: str | None
    kv_cache_dtype: LmiKvCacheDtype | None
    kv_cache_memory_bytes: int | None
    limit_mm_per_prompt: str | None
    lmcache_auto_config: bool | None
    load_format: str | None
    max_cpu_loras: int | None
    max_logprobs: int | None
    max_lora_rank: int | None
    max_loras: int | None
    max_model_len: int | None
    max_rolling_batch_prefill_tokens: int | None
    max_rolling_batch_size: int | None
    model_loading_timeout: int | None
    predict_timeout: int | None
    quantize: LmiQuantization | None
    reasoning_parser: str | None
    speculative_config: str | None
    tensor_parallel_degree: int | None
    tool_call_parser: str | None
    trust_remote_code: bool | None
    def __init__(
        self,
        *,
        chat_template: str | None = None,
        chunked_read_timeout: int | None = None,
        cpu_offload_gb: int | None = None,
        dtype: LmiDtype | None = None,
        enable_chunked_prefill: bool | None = None,
        enable_lora: bool | None = None,
        enable_prefix_caching: bool | None = None,
        enforce_eager: bool | None = None,
        extra_args: Mapping[str, str] | None = None,
        generation_config: str | None = None,
        gpu_memory_utilization: float | None = None,
        hf_overrides: str | None = None,
        kv_cache_dtype: LmiKvCacheDtype | None = None,
        kv_cache_memory_bytes: int | None = None,
        limit_mm_per_prompt: str | None = None,
        lmcache_auto_config: bool | None = None,
        load_format: str | None = None,
        max_cpu_loras: int | None = None,
        max_logprobs: int | None = None,
        max_lora_rank: int | None = None,
        max_loras: int | None = None,
        max_model_len: int | None = None,
        max_rolling_batch_prefill_tokens: int | None = None,
        max_rolling_batch_size: int | None = None,
        model_loading_timeout: int | None = None,
        predict_timeout: int | None = None,
        quantize: LmiQuantization | None = None,
        reasoning_parser: str | None = None,
        speculative_config: str | None = None,
        tensor_parallel_degree: int | None = None,
        tool_call_parser: str | None = None,
        trust_remote_code: bool | None = None,
    ) -> None: ...

class LmiQuantization(StrEnum):
    AWQ = "awq"
    AWQ_MARLIN = "awq_marlin"
    BITSANDBYTES = "bitsandbytes"
    COMPRESSED_TENSORS = "compressed-tensors"
    FP8 = "fp8"
    GPTQ = "gptq"
    GPTQ_MARLIN = "gptq_marlin"

class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"

class LogprobsMode(StrEnum):
    PROCESSED_LOGITS = "processed_logits"
    PROCESSED_LOGPROBS = "processed_logprobs"
    RAW_LOGITS = "raw_logits"
    RAW_LOGPROBS = "raw_logprobs"

class LoraAdapter:
    archive: S3Archive
    name: str
    def __init__(self, name: str, archive: S3Archive, key: str, rank: int) -> None: ...
    @staticmethod
    def from_s3_archive(name: str, bucket: s3.IBucket, key: str, *, rank: int = 16) -> LoraAdapter: ...
    def spec(self) -> AdapterChoice: ...
    def validate(self, keyword: str) -> Iterator[Problem]: ...

class Mirror:
    percent: float
    primary: IModelEndpoint | Split | Fallback
    to: IModelEndpoint
    def __init__(self, primary: IModelEndpoint | Split | Fallback, *, percent: float, to: IModelEndpoint) -> None: ...

class Model(ABC):
    def bind(self, role: ExecutionRole, *, token_variables: Iterable[str]) -> ModelBinding: ...
    @staticmethod
    def from_hub(
        model_id: str,
        *,
        facts: ModelFacts | None = None,
        like: str | None = None,
        revision: str | None = None,
        token: secretsmanager.ISecret | None = None,
    ) -> Model: ...
    @staticmethod
    def from_s3(
        bucket: s3.IBucket,
        prefix: str,
        *,
        accept_eula: bool = False,
        facts: ModelFacts | None = None,
        like: str | None = None,
        model_id: str | None = None,
    ) -> Model: ...
    @staticmethod
    def from_s3_archive(
        bucket: s3.IBucket,
        key: str,
        *,
        accept_eula: bool = False,
        facts: ModelFacts | None = None,
        like: str | None = None,
        model_id: str | None = None,
    ) -> Model: ...
    @property
    def model_id(self) -> str | None: ...
    def resources(self) -> Mapping[str, object]: ...
    def spec(self) -> ModelChoice: ...
    @staticmethod
    def staged(
        model_id: str,
        *,
        bucket: s3.IBucket,
        encryption_key: kms.IKey | None = None,
        exclude: Sequence[str] | None = None,
        facts: ModelFacts | None = None,
        hub: str | None = None,
        include: Sequence[str] | None = None,
        like: str | None = None,
        log_retention: logs.RetentionDays | None = None,
        pickles: bool = False,
        prefix: str = "",
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        revision: str,
        token: secretsmanager.ISecret | None = None,
        trust_remote_code: bool = False,
    ) -> Model: ...
    def validate(self) -> Iterable[Problem]: ...
    def warnings(self, scope: Construct) -> Iterable[PlanWarning]: ...

class ModelFacts:
    act_order: bool
    alibi: bool
    auto_map: bool
    bits: int | None
    cache_width: int | None
    checkpoint_dtype: Dtype
    date: str | None
    experts: int
    experts_per_token: int
    gating: Gating
    group_size: int | None
    head_dim: int
    heads: int
    hidden: int
    hub_id: str
    intermediate: int | None
    kv_heads: int
    latent_width: int | None
    layer_groups: tuple[LayerGroup, ...]
    layers: int
    licence: str
    max_positions: int
    model_type: str
    parameters: int
    quantization: str | None
    reads_images: bool
    rope: str | None
    settings_in_config: bool
    sliding_window: int | None
    source: str
    tied_embeddings: bool
    trained_positions: int | None
    vocabulary: int | None
    weight_bytes: int | None
    def __init__(
        self,
        hub_id: str,
        parameters: int,
        layers: int,
        hidden: int,
        heads: int,
        kv_heads: int,
        head_dim: int,
        max_positions: int,
        checkpoint_dtype: Dtype,
        model_type: str,
        licence: str,
        gating: Gating = "no",
        intermediate: int | None = None,
        vocabulary: int | None = None,
        tied_embeddings: bool = False,
        experts: int = 1,
        experts_per_token: int = 1,
        quantization: str | None = None,
        bits: int | None = None,
        group_size: int | None = None,
        settings_in_config: bool = False,
        act_order: bool = False,
        alibi: bool = False,
        rope: str | None = None,
        sliding_window: int | None = None,
        cache_width: int | None = None,
        trained_positions: int | None = None,
        latent_width: int | None = None,
        layer_groups: tuple[LayerGroup, ...] = (),
        reads_images: bool = False,
        auto_map: bool = False,
        weight_bytes: int | None = None,
        source: str = "the caller",
        date: str | None = None,
    ) -> None: ...
    @property
    def bits_per_parameter(self) -> float: ...
    @property
    def checkpoint_bytes(self) -> int: ...
    @property
    def gated(self) -> bool: ...
    @property
    def published_quantization(self) -> str | None: ...

class ModelFile(Mapping[str, ModelFacts]):
    def __init__(self, models: Iterable[ModelFacts] = ()) -> None: ...
    def with_model(self, facts: ModelFacts) -> ModelFile: ...

class ModelFleet(Resource):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        capacity_reservation: CapacityReservation | None = None,
        detailed_observability: bool | None = None,
        endpoint_name: str | None = None,
        inference_ami_version: str | None = None,
        instance_provision_timeout: Duration | None = None,
        instance_type: InstanceType,
        instances: tuple[int, int] = (1, 1),
        models: Mapping[str, FleetModel],
        network_isolation: bool = False,
        role: iam.IRole | None = None,
        routing: Routing | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        tags: Mapping[str, str] | None = None,
        volume_key: kms.IKey | None = None,
        volume_size: Size | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
    ) -> None: ...
    @property
    def adapter_components(self) -> Mapping[str, str]: ...
    @property
    def capacity(self) -> Capacity: ...
    @property
    def connections(self) -> ec2.Connections: ...
    def describe_price(self, *, front_door_memory: float | None = None) -> str | None: ...
    @property
    def endpoint_arn(self) -> str: ...
    @property
    def endpoint_name(self) -> str: ...
    @property
    def endpoint_ref(self) -> EndpointReference: ...
    @property
    def env(self) -> ResourceEnvironment: ...
    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant: ...
    @property
    def grant_principal(self) -> iam.IPrincipal: ...
    @property
    def held(self) -> Held | None: ...
    @property
    def inference_component_name(self) -> str | None: ...
    def metric(
        self,
        metric_name: str,
        *,
        color: str = ...,
        label: str = ...,
        namespace: str = "AWS/SageMaker",
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_concurrent_requests(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_cpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_disk_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_first_chunk_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_first_chunk_model_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_4xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_5xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_model_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocations(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocations_per_instance(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_mid_stream_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_model_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_overhead_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    @property
    def models(self) -> Mapping[str, FleetMember]: ...
    def monitor(
        self,
        *,
        disk: float | None = ...,
        host_memory: float | None = ...,
        runbook: str = "docs/operations.md",
        topic: sns.ITopic | None = None,
    ) -> None: ...
    @property
    def role(self) -> iam.IRole: ...
    @property
    def variant_name(self) -> str: ...
    @property
    def wake(self) -> WakeFacts | None: ...

class ModelImplementation(StrEnum):
    AUTO = "auto"
    TRANSFORMERS = "transformers"
    VLLM = "vllm"

class ModelVariant:
    def auto_scale(
        self, *, max_instances: int, min_instances: int = 1, request_tokens: int | None = None
    ) -> EndpointScaling: ...
    @property
    def capacity(self) -> Capacity: ...
    @property
    def endpoint_name(self) -> str: ...
    @property
    def env(self) -> ResourceEnvironment: ...
    @property
    def held(self) -> Held | None: ...
    @property
    def inference_component_name(self) -> str | None: ...
    @property
    def max_body_bytes(self) -> int: ...
    def metric(
        self,
        metric_name: str,
        *,
        color: str = ...,
        label: str = ...,
        namespace: str = "AWS/SageMaker",
        period: Duration = ...,
        statistic: str = ...,
    ) -> cloudwatch.Metric: ...
    def metric_concurrent_requests(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_cpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_disk_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_first_chunk_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_first_chunk_model_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_gpu_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_4xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_5xx_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocation_model_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocations(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_invocations_per_instance(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_memory_utilization(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_mid_stream_errors(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_model_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    def metric_overhead_latency(
        self, *, color: str = ..., label: str = ..., period: Duration = ..., statistic: str = ...
    ) -> cloudwatch.Metric: ...
    @property
    def model_id(self) -> str | None: ...
    @property
    def serving(self) -> ServingFacts: ...
    @property
    def variant_name(self) -> str: ...
    @property
    def weight(self) -> float: ...

class NeuronOptions:
    auto_cast_type: AutoCastType | None
    cors_allow_origin: str | None
    graceful_termination_timeout: int | None
    huggingface_hub_cache: str | None
    json_output: bool | None
    log_level: LogLevel | None
    max_batch_prefill_tokens: int | None
    max_batch_size: int | None
    max_client_batch_size: int | None
    max_concurrent_requests: int | None
    max_input_tokens: int | None
    max_stop_sequences: int | None
    max_total_tokens: int | None
    max_waiting_tokens: int | None
    messages_api_enabled: bool | None
    num_cores: int | None
    otlp_endpoint: str | None
    otlp_service_name: str | None
    payload_limit: int | None
    tokenizer_config_path: str | None
    usage_stats: UsageStats | None
    validation_workers: int | None
    waiting_served_ratio: float | None
    def __init__(
        self,
        *,
        auto_cast_type: AutoCastType | None = None,
        cors_allow_origin: str | None = None,
        graceful_termination_timeout: int | None = None,
        huggingface_hub_cache: str | None = None,
        json_output: bool | None = None,
        log_level: LogLevel | None = None,
        max_batch_prefill_tokens: int | None = None,
        max_batch_size: int | None = None,
        max_client_batch_size: int | None = None,
        max_concurrent_requests: int | None = None,
        max_input_tokens: int | None = None,
        max_stop_sequences: int | None = None,
        max_total_tokens: int | None = None,
        max_waiting_tokens: int | None = None,
        messages_api_enabled: bool | None = None,
        num_cores: int | None = None,
        otlp_endpoint: str | None = None,
        otlp_service_name: str | None = None,
        payload_limit: int | None = None,
        tokenizer_config_path: str | None = None,
        usage_stats: UsageStats | None = None,
        validation_workers: int | None = None,
        waiting_served_ratio: float | None = None,
    ) -> None: ...

class OwnImage:
    def __init__(self, source: RepositoryImage | UriImage, cuda: object) -> None: ...
    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str: ...
    @staticmethod
    def from_ecr_repository(repository: ecr.IRepository, *, cuda: str | None = None, tag: str) -> OwnImage: ...
    @staticmethod
    def from_uri(uri: str, *, cuda: str | None = None) -> OwnImage: ...
    def spec(self) -> ImageChoice: ...
    def validate(self) -> list[Problem]: ...

class Quantization(StrEnum):
    AWQ = "awq"
    BITSANDBYTES = "bitsandbytes"
    BITSANDBYTES_FP4 = "bitsandbytes-fp4"
    BITSANDBYTES_NF4 = "bitsandbytes-nf4"
    COMPRESSED_TENSORS = "compressed-tensors"
    EETQ = "eetq"
    EXL2 = "exl2"
    FP8 = "fp8"
    GPTQ = "gptq"
    MARLIN = "marlin"

class Rollout:
    alarms: Sequence[cloudwatch.IAlarm] | None
    count: int | None
    percent: int | None
    rollback_in_batches: bool | None
    strategy: Strategy
    termination_wait: Duration | None
    time_limit: Duration | None
    wait: Duration | None
    def __init__(
        self,
        *,
        alarms: Sequence[cloudwatch.IAlarm] | None = None,
        count: int | None = None,
        percent: int | None = None,
        rollback_in_batches: bool | None = None,
        strategy: Strategy,
        termination_wait: Duration | None = None,
        time_limit: Duration | None = None,
        wait: Duration | None = None,
    ) -> None: ...
    @classmethod
    def all_at_once(
        cls,
        *,
        alarms: Sequence[cloudwatch.IAlarm] | None = None,
        termination_wait: Duration | None = None,
        time_limit: Duration | None = None,
    ) -> Rollout: ...
    @classmethod
    def canary(
        cls,
        *,
        alarms: Sequence[cloudwatch.IAlarm] | None = None,
        count: int | None = None,
        percent: int | None = None,
        termination_wait: Duration | None = None,
        time_limit: Duration | None = None,
        wait: Duration | None = None,
    ) -> Rollout: ...
    @classmethod
    def linear(
        cls,
        *,
        alarms: Sequence[cloudwatch.IAlarm] | None = None,
        count: int | None = None,
        percent: int | None = None,
        termination_wait: Duration | None = None,
        time_limit: Duration | None = None,
        wait: Duration | None = None,
    ) -> Rollout: ...
    @classmethod
    def rolling(
        cls,
        *,
        alarms: Sequence[cloudwatch.IAlarm] | None = None,
        count: int | None = None,
        percent: int | None = None,
        rollback_in_batches: bool | None = None,
        time_limit: Duration | None = None,
        wait: Duration | None = None,
    ) -> Rollout: ...

class RopeScaling(StrEnum):
    DYNAMIC = "dynamic"
    LINEAR = "linear"

RoutedModel: TypeAlias

class Routing:
    shared_bytes: int | None
    strategy: str
    threshold: int | None
    def __init__(
        self,
        *,
        shared_bytes: int | None = None,
        strategy: str = "LEAST_OUTSTANDING_REQUESTS",
        threshold: int | None = None,
    ) -> None: ...
    @staticmethod
    def least_outstanding() -> Routing: ...
    @staticmethod
    def prefix_aware(*, shared_bytes: int, threshold: int) -> Routing: ...

class SamplingDefaults(StrEnum):
    MODEL = "model"
    OPENAI = "openai"

class ScaleToZero:
    idle: Duration | None
    max_copies: int
    request_tokens: int | None
    target: float | None
    weekly_hours: WeeklyHours | None
    def __init__(
        self,
        *,
        idle: Duration | None = None,
        max_copies: int = 1,
        request_tokens: int | None = None,
        target: float | None = None,
        weekly_hours: WeeklyHours | None = None,
    ) -> None: ...
    @classmethod
    def hours(
        cls,
        *windows: str,
        idle: Duration = ...,
        max_copies: int = ...,
        outside: Literal["idle", "closed"] = "idle",
        request_tokens: int = ...,
        target: float = ...,
        time_zone: str,
    ) -> ScaleToZero: ...

class SchedulingPolicy(StrEnum):
    FCFS = "fcfs"
    PRIORITY = "priority"

class ServingFacts:
    adapters: Sequence[str] | None
    chat: bool | None
    completions: bool | None
    dtype: str | None
    enable_prefill_logprobs: bool | None
    max_batch_total_tokens: int | None
    max_best_of: int | None
    max_client_batch_size: int | None
    max_concurrent_requests: int | None
    max_input_tokens: int | None
    max_stop_sequences: int | None
    max_top_n_tokens: int | None
    max_total_tokens: int | None
    overload_statuses: Sequence[int] | None
    processed_logprobs: bool | None
    quantize: str | None
    reads_images: bool | None
    revision: str | None
    stream_format: StreamFormat | None
    tools: bool | None
    version: str | None
    def __init__(
        self,
        *,
        adapters: Sequence[str] | None = None,
        chat: bool | None = None,
        completions: bool | None = None,
        dtype: str | None = None,
        enable_prefill_logprobs: bool | None = None,
        max_batch_total_tokens: int | None = None,
        max_best_of: int | None = None,
        max_client_batch_size: int | None = None,
        max_concurrent_requests: int | None = None,
        max_input_tokens: int | None = None,
        max_stop_sequences: int | None = None,
        max_top_n_tokens: int | None = None,
        max_total_tokens: int | None = None,
        overload_statuses: Sequence[int] | None = None,
        processed_logprobs: bool | None = None,
        quantize: str | None = None,
        reads_images: bool | None = None,
        revision: str | None = None,
        stream_format: StreamFormat | None = None,
        tools: bool | None = None,
        version: str | None = None,
    ) -> None: ...

class ServingOptions(TypedDict):
    def __init__(
        self,
        *,
        adapters: Sequence[str] = ...,
        chat: bool = ...,
        completions: bool = ...,
        dtype: str = ...,
        enable_prefill_logprobs: bool = ...,
        max_batch_total_tokens: int = ...,
        max_best_of: int = ...,
        max_client_batch_size: int = ...,
        max_concurrent_requests: int = ...,
        max_input_tokens: int = ...,
        max_stop_sequences: int = ...,
        max_top_n_tokens: int = ...,
        max_total_tokens: int = ...,
        overload_statuses: Sequence[int] = ...,
        processed_logprobs: bool = ...,
        quantize: str = ...,
        reads_images: bool = ...,
        revision: str = ...,
        stream_format: StreamFormat = ...,
        tools: bool = ...,
        version: str = ...,
    ) -> None: ...

class SglangDtype(StrEnum):
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"

class SglangEndpoint(EngineEndpoint):
    ENGINE = SGLANG
    IMAGE = SglangImage
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        capacity_reservation: CapacityReservation | None = ...,
        data_capture: DataCapture | None = ...,
        detailed_observability: bool | None = ...,
        endpoint_name: str | None = ...,
        environment: Mapping[str, str] | None = ...,
        image: SglangImage | None = None,
        inference_ami_version: str | None = ...,
        instance_count: int = ...,
        instance_provision_timeout: Duration | None = ...,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        model: Model,
        model_download_timeout: Duration | None = ...,
        network_isolation: bool = ...,
        options: SglangOptions | None = None,
        replace_on_instance_type_change: bool = ...,
        role: iam.IRole | None = ...,
        rollout: Rollout | None = ...,
        routing: Routing | None = ...,
        scale_to_zero: ScaleToZero | None = ...,
        security_groups: Sequence[ec2.ISecurityGroup] | None = ...,
        startup_timeout: Duration | None = ...,
        tags: Mapping[str, str] | None = ...,
        variant_name: str = ...,
        variant_weight: float = ...,
        volume_key: kms.IKey | None = ...,
        volume_size: Size | None = ...,
        vpc: ec2.IVpc | None = ...,
        vpc_subnets: ec2.SubnetSelection | None = ...,
    ) -> None: ...

class SglangImage:
    FAMILY = AWS
    def __init__(self, spec: ImageChoice, source: ImageSource) -> None: ...
    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str: ...
    @classmethod
    def from_ecr_repository(
        cls, repository: ecr.IRepository, *, own_build: bool = False, tag: str, version: str
    ) -> Self: ...
    @classmethod
    def from_uri(cls, uri: str, *, own_build: bool = False, version: str) -> Self: ...
    @classmethod
    def hugging_face(cls, version: str) -> Self: ...
    def mirrored(self, mirror: ImageMirror, *, digest: str) -> Self: ...
    def spec(self) -> ImageChoice: ...
    def validate(self) -> list[Problem]: ...
    @classmethod
    def version(cls, version: str) -> Self: ...

class SglangKvCacheDtype(StrEnum):
    FP8_E4M3 = "fp8_e4m3"
    FP8_E5M2 = "fp8_e5m2"

class SglangLogLevel(StrEnum):
    DEBUG = "debug"
    ERROR = "error"
    INFO = "info"
    WARNING = "warning"

class SglangOptions:
    attention_backend: str | None
    chat_template: str | None
    chunked_prefill_size: int | None
    context_length: int | None
    cpu_offload_gb: int | None
    cuda_graph_max_bs: int | None
    disable_cuda_graph: bool | None
    disable_radix_cache: bool | None
    dp_size: int | None
    dtype: SglangDtype | None
    enable_metrics: bool | None
    extra_args: Mapping[str, str] | None
    grammar_backend: str | None
    json_model_override_args: str | None
    kv_cache_dtype: SglangKvCacheDtype | None
    load_format: str | None
    log_level: SglangLogLevel | None
    lora_paths: Sequence[str] | None
    max_lora_rank: int | None
    max_loras_per_batch: int | None
    max_prefill_tokens: int | None
    max_queued_requests: int | None
    max_running_requests: int | None
    max_total_tokens: int | None
    mem_fraction_static: float | None
    quantization: SglangQuantization | None
    random_seed: int | None
    reasoning_parser: str | None
    sampling_defaults: SamplingDefaults | None
    schedule_conservativeness: float | None
    schedule_policy: str | None
    speculative_algorithm: str | None
    speculative_draft_model_path: str | None
    speculative_eagle_topk: int | None
    speculative_num_draft_tokens: int | None
    speculative_num_steps: int | None
    stream_interval: int | None
    tool_call_parser: str | None
    tp_size: int | None
    trust_remote_code: bool | None
    watchdog_timeout: float | None
    def __init__(
        self,
        *,
        attention_backend: str | None = None,
        chat_template: str | None = None,
        chunked_prefill_size: int | None = None,
        context_length: int | None = None,
        cpu_offload_gb: int | None = None,
        cuda_graph_max_bs: int | None = None,
        disable_cuda_graph: bool | None = None,
        disable_radix_cache: bool | None = None,
        dp_size: int | None = None,
        dtype: SglangDtype | None = None,
        enable_metrics: bool | None = None,
        extra_args: Mapping[str, str] | None = None,
        grammar_backend: str | None = None,
        json_model_override_args: str | None = None,
        kv_cache_dtype: SglangKvCacheDtype | None = None,
        load_format: str | None = None,
        log_level: SglangLogLevel | None = None,
        lora_paths: Sequence[str] | None = None,
        max_lora_rank: int | None = None,
        max_loras_per_batch: int | None = None,
        max_prefill_tokens: int | None = None,
        max_queued_requests: int | None = None,
        max_running_requests: int | None = None,
        max_total_tokens: int | None = None,
        mem_fraction_static: float | None = None,
        quantization: SglangQuantization | None = None,
        random_seed: int | None = None,
        reasoning_parser: str | None = None,
        sampling_defaults: SamplingDefaults | None = None,
        schedule_conservativeness: float | None = None,
        schedule_policy: str | None = None,
        speculative_algorithm: str | None = None,
        speculative_draft_model_path: str | None = None,
        speculative_eagle_topk: int | None = None,
        speculative_num_draft_tokens: int | None = None,
        speculative_num_steps: int | None = None,
        stream_interval: int | None = None,
        tool_call_parser: str | None = None,
        tp_size: int | None = None,
        trust_remote_code: bool | None = None,
        watchdog_timeout: float | None = None,
    ) -> None: ...

class SglangQuantization(StrEnum):
    AWQ = "awq"
    AWQ_MARLIN = "awq_marlin"
    BITSANDBYTES = "bitsandbytes"
    COMPRESSED_TENSORS = "compressed-tensors"
    FP8 = "fp8"
    GGUF = "gguf"
    GPTQ = "gptq"
    GPTQ_MARLIN = "gptq_marlin"
    MODELOPT = "modelopt"
    MODELOPT_FP4 = "modelopt_fp4"
    MODELOPT_FP8 = "modelopt_fp8"
    MOE_WNA16 = "moe_wna16"
    MXFP4 = "mxfp4"
    W4AFP8 = "w4afp8"
    W8A8_FP8 = "w8a8_fp8"
    W8A8_INT8 = "w8a8_int8"

class Split:
    weights: Mapping[IModelEndpoint | Fallback, float]
    def __init__(self, weights: Mapping[IModelEndpoint | Fallback, float]) -> None: ...

class StreamFormat(StrEnum):
    JSON_LINES = "jsonlines"
    SSE = "sse"

class TgiEndpoint(EngineEndpoint):
    ENGINE = TGI
    IMAGE = TgiImage
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        capacity_reservation: CapacityReservation | None = ...,
        data_capture: DataCapture | None = ...,
        detailed_observability: bool | None = ...,
        endpoint_name: str | None = ...,
        environment: Mapping[str, str] | None = ...,
        image: TgiImage | None = None,
        inference_ami_version: str | None = ...,
        instance_count: int = ...,
        instance_provision_timeout: Duration | None = ...,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        model: Model,
        model_download_timeout: Duration | None = ...,
        network_isolation: bool = ...,
        options: TgiOptions | None = None,
        replace_on_instance_type_change: bool = ...,
        role: iam.IRole | None = ...,
        rollout: Rollout | None = ...,
        routing: Routing | None = ...,
        scale_to_zero: ScaleToZero | None = ...,
        security_groups: Sequence[ec2.ISecurityGroup] | None = ...,
        startup_timeout: Duration | None = ...,
        tags: Mapping[str, str] | None = ...,
        variant_name: str = ...,
        variant_weight: float = ...,
        volume_key: kms.IKey | None = ...,
        volume_size: Size | None = ...,
        vpc: ec2.IVpc | None = ...,
        vpc_subnets: ec2.SubnetSelection | None = ...,
    ) -> None: ...

class TgiImage:
    FAMILY = TGI.images
    def __init__(self, spec: ImageChoice, source: ImageSource) -> None: ...
    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str: ...
    @classmethod
    def from_ecr_repository(
        cls, repository: ecr.IRepository, *, own_build: bool = False, tag: str, version: str
    ) -> Self: ...
    @classmethod
    def from_uri(cls, uri: str, *, own_build: bool = False, version: str) -> Self: ...
    def mirrored(self, mirror: ImageMirror, *, digest: str) -> Self: ...
    def spec(self) -> ImageChoice: ...
    def validate(self) -> list[Problem]: ...
    @classmethod
    def version(cls, version: str) -> Self: ...

class TgiNeuronEndpoint(EngineEndpoint):
    ENGINE = TGI_NEURON
    IMAGE = TgiNeuronImage
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        capacity_reservation: CapacityReservation | None = ...,
        data_capture: DataCapture | None = ...,
        detailed_observability: bool | None = ...,
        endpoint_name: str | None = ...,
        environment: Mapping[str, str] | None = ...,
        image: TgiNeuronImage | None = None,
        inference_ami_version: str | None = ...,
        instance_count: int = ...,
        instance_provision_timeout: Duration | None = ...,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        model: Model,
        model_download_timeout: Duration | None = ...,
        network_isolation: bool = ...,
        options: NeuronOptions | None = None,
        replace_on_instance_type_change: bool = ...,
        role: iam.IRole | None = ...,
        rollout: Rollout | None = ...,
        routing: Routing | None = ...,
        scale_to_zero: ScaleToZero | None = ...,
        security_groups: Sequence[ec2.ISecurityGroup] | None = ...,
        startup_timeout: Duration | None = ...,
        tags: Mapping[str, str] | None = ...,
        variant_name: str = ...,
        variant_weight: float = ...,
        volume_key: kms.IKey | None = ...,
        volume_size: Size | None = ...,
        vpc: ec2.IVpc | None = ...,
        vpc_subnets: ec2.SubnetSelection | None = ...,
    ) -> None: ...

class TgiNeuronImage:
    FAMILY = TGI_NEURON.images
    def __init__(self, spec: ImageChoice, source: ImageSource) -> None: ...
    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str: ...
    @classmethod
    def from_ecr_repository(
        cls, repository: ecr.IRepository, *, own_build: bool = False, tag: str, version: str
    ) -> Self: ...
    @classmethod
    def from_uri(cls, uri: str, *, own_build: bool = False, version: str) -> Self: ...
    def mirrored(self, mirror: ImageMirror, *, digest: str) -> Self: ...
    def spec(self) -> ImageChoice: ...
    def validate(self) -> list[Problem]: ...
    @classmethod
    def version(cls, version: str) -> Self: ...

class TgiOptions:
    attention: Attention | None
    cors_allow_origin: str | None
    cuda_graphs: Sequence[int] | None
    cuda_memory_fraction: float | None
    disable_custom_kernels: bool | None
    disable_grammar_support: bool | None
    dtype: Dtype | None
    enable_prefill_logprobs: bool | None
    graceful_termination_timeout: int | None
    huggingface_hub_cache: str | None
    json_output: bool | None
    kv_cache_dtype: KvCacheDtype | None
    log_level: LogLevel | None
    lora_adapters: Sequence[str] | None
    master_addr: str | None
    master_port: int | None
    max_batch_prefill_tokens: int | None
    max_batch_size: int | None
    max_batch_total_tokens: int | None
    max_best_of: int | None
    max_client_batch_size: int | None
    max_concurrent_requests: int | None
    max_input_tokens: int | None
    max_stop_sequences: int | None
    max_top_n_tokens: int | None
    max_total_tokens: int | None
    max_waiting_tokens: int | None
    messages_api_enabled: bool | None
    num_shard: int | None
    otlp_endpoint: str | None
    otlp_service_name: str | None
    payload_limit: int | None
    prefill_chunking: bool | None
    prefix_caching: bool | None
    prometheus_port: int | None
    quantize: Quantization | None
    rope_factor: float | None
    rope_scaling: RopeScaling | None
    shard_uds_path: str | None
    sharded: bool | None
    speculate: int | None
    tgi_wiggle_room: float | None
    tokenizer_config_path: str | None
    trust_remote_code: bool | None
    usage_stats: UsageStats | None
    validation_workers: int | None
    waiting_served_ratio: float | None
    watermark_delta: float | None
    watermark_gamma: float | None
    weights_cache_override: str | None
    def __init__(
        self,
        *,
        attention: Attention | None = None,
        cors_allow_origin: str | None = None,
        cuda_graphs: Sequence[int] | None = None,
        cuda_memory_fraction: float | None = None,
        disable_custom_kernels: bool | None = None,
        disable_grammar_support: bool | None = None,
        dtype: Dtype | None = None,
        enable_prefill_logprobs: bool | None = None,
        graceful_termination_timeout: int | None = None,
        huggingface_hub_cache: str | None = None,
        json_output: bool | None = None,
        kv_cache_dtype: KvCacheDtype | None = None,
        log_level: LogLevel | None = None,
        lora_adapters: Sequence[str] | None = None,
        master_addr: str | None = None,
        master_port: int | None = None,
        max_batch_prefill_tokens: int | None = None,
        max_batch_size: int | None = None,
        max_batch_total_tokens: int | None = None,
        max_best_of: int | None = None,
        max_client_batch_size: int | None = None,
        max_concurrent_requests: int | None = None,
        max_input_tokens: int | None = None,
        max_stop_sequences: int | None = None,
        max_top_n_tokens: int | None = None,
        max_total_tokens: int | None = None,
        max_waiting_tokens: int | None = None,
        messages_api_enabled: bool | None = None,
        num_shard: int | None = None,
        otlp_endpoint: str | None = None,
        otlp_service_name: str | None = None,
        payload_limit: int | None = None,
        prefill_chunking: bool | None = None,
        prefix_caching: bool | None = None,
        prometheus_port: int | None = None,
        quantize: Quantization | None = None,
        rope_factor: float | None = None,
        rope_scaling: RopeScaling | None = None,
        shard_uds_path: str | None = None,
        sharded: bool | None = None,
        speculate: int | None = None,
        tgi_wiggle_room: float | None = None,
        tokenizer_config_path: str | None = None,
        trust_remote_code: bool | None = None,
        usage_stats: UsageStats | None = None,
        validation_workers: int | None = None,
        waiting_served_ratio: float | None = None,
        watermark_delta: float | None = None,
        watermark_gamma: float | None = None,
        weights_cache_override: str | None = None,
    ) -> None: ...

class UsageStats(StrEnum):
    NO_STACK = "no-stack"
    OFF = "off"
    ON = "on"

class VllmDtype(StrEnum):
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"

class VllmEndpoint(EngineEndpoint):
    ENGINE = VLLM
    IMAGE = VllmImage
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        adapters: Sequence[LoraAdapter] = (),
        capacity_reservation: CapacityReservation | None = ...,
        data_capture: DataCapture | None = ...,
        detailed_observability: bool | None = ...,
        endpoint_name: str | None = ...,
        environment: Mapping[str, str] | None = ...,
        image: VllmImage | None = None,
        inference_ami_version: str | None = ...,
        instance_count: int = ...,
        instance_provision_timeout: Duration | None = ...,
        instance_type: InstanceType | CheapestFor | Sequence[InstanceType],
        model: Model,
        model_download_timeout: Duration | None = ...,
        network_isolation: bool = ...,
        options: VllmOptions | None = None,
        replace_on_instance_type_change: bool = ...,
        role: iam.IRole | None = ...,
        rollout: Rollout | None = ...,
        routing: Routing | None = ...,
        scale_to_zero: ScaleToZero | None = ...,
        security_groups: Sequence[ec2.ISecurityGroup] | None = ...,
        startup_timeout: Duration | None = ...,
        tags: Mapping[str, str] | None = ...,
        variant_name: str = ...,
        variant_weight: float = ...,
        volume_key: kms.IKey | None = ...,
        volume_size: Size | None = ...,
        vpc: ec2.IVpc | None = ...,
        vpc_subnets: ec2.SubnetSelection | None = ...,
    ) -> None: ...

class VllmImage:
    FAMILY = AWS
    def __init__(self, spec: ImageChoice, source: ImageSource) -> None: ...
    def bind(self, scope: Construct, role: ExecutionRole, plan: EndpointPlan) -> str: ...
    @classmethod
    def from_ecr_repository(
        cls, repository: ecr.IRepository, *, own_build: bool = False, tag: str, version: str
    ) -> Self: ...
    @classmethod
    def from_uri(cls, uri: str, *, own_build: bool = False, version: str) -> Self: ...
    @classmethod
    def hugging_face(cls, version: str) -> Self: ...
    def mirrored(self, mirror: ImageMirror, *, digest: str) -> Self: ...
    def spec(self) -> ImageChoice: ...
    def validate(self) -> list[Problem]: ...
    @classmethod
    def version(cls, version: str) -> Self: ...

class VllmKvCacheDtype(StrEnum):
    BFLOAT16 = "bfloat16"
    FP8 = "fp8"
    FP8_E4M3 = "fp8_e4m3"
    FP8_E5M2 = "fp8_e5m2"

class VllmLogLevel(StrEnum):
    DEBUG = "debug"
    ERROR = "error"
    INFO = "info"
    WARNING = "warning"

class VllmOptions:
    allow_runtime_lora_updating: bool | None
    async_scheduling: bool | None
    attention_backend: str | None
    block_size: int | None
    chat_template: str | None
    chat_template_content_format: str | None
    code_revision: str | None
    compilation_config: JsonObject | None
    config_format: str | None
    cpu_offload_gb: float | None
    data_parallel_size: int | None
    default_chat_template_kwargs: JsonObject | None
    disable_hybrid_kv_cache_manager: bool | None
    disable_log_stats: bool | None
    dtype: VllmDtype | None
    enable_auto_tool_choice: bool | None
    enable_chunked_prefill: bool | None
    enable_expert_parallel: bool | None
    enable_log_outputs: bool | None
    enable_log_requests: bool | None
    enable_lora: bool | None
    enable_prefix_caching: bool | None
    enforce_eager: bool | None
    extra_args: Mapping[str, str] | None
    generation_config: str | None
    gpu_memory_utilization: float | None
    hf_overrides: JsonObject | None
    kv_cache_dtype: VllmKvCacheDtype | None
    kv_cache_memory_bytes: int | None
    kv_transfer_config: JsonObject | None
    language_model_only: bool | None
    limit_mm_per_prompt: JsonObject | None
    lmcache: bool | None
    load_format: str | None
    log_level: VllmLogLevel | None
    logprobs_mode: LogprobsMode | None
    lora_modules: Sequence[str] | None
    max_cpu_loras: int | None
    max_logprobs: int | None
    max_lora_rank: int | None
    max_loras: int | None
    max_model_len: int | None
    max_num_batched_tokens: int | None
    max_num_queued_reqs: int | None
    max_num_queued_tokens: int | None
    max_num_seqs: int | None
    mm_processor_kwargs: JsonObject | None
    model_impl: ModelImplementation | None
    otlp_traces_endpoint: str | None
    override_generation_config: JsonObject | None
    pipeline_parallel_size: int | None
    process_auto_recovery: bool | None
    quantization: VllmQuantization | None
    reasoning_parser: str | None
    scheduling_policy: SchedulingPolicy | None
    seed: int | None
    served_model_name: str | None
    shutdown_timeout: int | None
    speculative_config: JsonObject | None
    stream_interval: int | None
    structured_outputs_config: JsonObject | None
    tensor_parallel_size: int | None
    tokenizer_mode: str | None
    tool_call_parser: str | None
    tool_parser_plugin: str | None
    trust_remote_code: bool | None
    usage_stats: bool | None
    def __init__(
        self,
        *,
        allow_runtime_lora_updating: bool | None = None,
        async_scheduling: bool | None = None,
        attention_backend: str | None = None,
        block_size: int | None = None,
        chat_template: str | None = None,
        chat_template_content_format: str | None = None,
        code_revision: str | None = None,
        compilation_config: JsonObject | None = None,
        config_format: str | None = None,
        cpu_offload_gb: float | None = None,
        data_parallel_size: int | None = None,
        default_chat_template_kwargs: JsonObject | None = None,
        disable_hybrid_kv_cache_manager: bool | None = None,
        disable_log_stats: bool | None = None,
        dtype: VllmDtype | None = None,
        enable_auto_tool_choice: bool | None = None,
        enable_chunked_prefill: bool | None = None,
        enable_expert_parallel: bool | None = None,
        enable_log_outputs: bool | None = None,
        enable_log_requests: bool | None = None,
        enable_lora: bool | None = None,
        enable_prefix_caching: bool | None = None,
        enforce_eager: bool | None = None,
        extra_args: Mapping[str, str] | None = None,
        generation_config: str | None = None,
        gpu_memory_utilization: float | None = None,
        hf_overrides: JsonObject | None = None,
        kv_cache_dtype: VllmKvCacheDtype | None = None,
        kv_cache_memory_bytes: int | None = None,
        kv_transfer_config: JsonObject | None = None,
        language_model_only: bool | None = None,
        limit_mm_per_prompt: JsonObject | None = None,
        lmcache: bool | None = None,
        load_format: str | None = None,
        log_level: VllmLogLevel | None = None,
        logprobs_mode: LogprobsMode | None = None,
        lora_modules: Sequence[str] | None = None,
        max_cpu_loras: int | None = None,
        max_logprobs: int | None = None,
        max_lora_rank: int | None = None,
        max_loras: int | None = None,
        max_model_len: int | None = None,
        max_num_batched_tokens: int | None = None,
        max_num_queued_reqs: int | None = None,
        max_num_queued_tokens: int | None = None,
        max_num_seqs: int | None = None,
        mm_processor_kwargs: JsonObject | None = None,
        model_impl: ModelImplementation | None = None,
        otlp_traces_endpoint: str | None = None,
        override_generation_config: JsonObject | None = None,
        pipeline_parallel_size: int | None = None,
        process_auto_recovery: bool | None = None,
        quantization: VllmQuantization | None = None,
        reasoning_parser: str | None = None,
        scheduling_policy: SchedulingPolicy | None = None,
        seed: int | None = None,
        served_model_name: str | None = None,
        shutdown_timeout: int | None = None,
        speculative_config: JsonObject | None = None,
        stream_interval: int | None = None,
        structured_outputs_config: JsonObject | None = None,
        tensor_parallel_size: int | None = None,
        tokenizer_mode: str | None = None,
        tool_call_parser: str | None = None,
        tool_parser_plugin: str | None = None,
        trust_remote_code: bool | None = None,
        usage_stats: bool | None = None,
    ) -> None: ...

class VllmQuantization(StrEnum):
    AWQ = "awq"
    AWQ_MARLIN = "awq_marlin"
    BITSANDBYTES = "bitsandbytes"
    COMPRESSED_TENSORS = "compressed-tensors"
    EXPERTS_INT8 = "experts_int8"
    FP8 = "fp8"
    FP8_PER_BLOCK = "fp8_per_block"
    FP8_PER_CHANNEL = "fp8_per_channel"
    FP8_PER_TENSOR = "fp8_per_tensor"
    GGUF = "gguf"
    GPTQ = "gptq"
    GPTQ_MARLIN = "gptq_marlin"
    INT8_PER_CHANNEL_WEIGHT_ONLY = "int8_per_channel_weight_only"
    MODELOPT = "modelopt"
    MODELOPT_FP4 = "modelopt_fp4"
    MOE_WNA16 = "moe_wna16"
    MXFP4 = "mxfp4"
    MXFP8 = "mxfp8"
    QUARK = "quark"
    TORCHAO = "torchao"

class WebAcl(ABC):
    def bind(self, scope: Construct, *, stage_arn: str) -> None: ...
    def create(self, scope: Construct) -> str: ...
    @staticmethod
    def from_arn(web_acl_arn: str) -> WebAcl: ...
    @staticmethod
    def from_web_acl(web_acl: wafv2.CfnWebACL) -> WebAcl: ...
    @staticmethod
    def managed(*, requests_per_five_minutes: int = 2000) -> WebAcl: ...
    def validate(self, region: str) -> Iterator[Problem]: ...

def read_model_file(path: str | os.PathLike[str]) -> ModelFile: ...
