"""The public names of constructs_lib, with what they take and return; written by `make public-api`.

A class has what it inherits from classes that are not public, too. Values are those of members of enumerations and of
defaults.
"""

class Access(ABC):
    denies_unlisted_callers: bool
    uses_iam: bool
    words: str
    @staticmethod
    def api_keys() -> Access: ...
    @staticmethod
    def authorizer(
        function: lambda_.IFunction, *, ttl: Duration | None = None, usage_plans: bool = False
    ) -> Access: ...
    def bind(self, scope: Construct, *, log_retention: logs.RetentionDays) -> AccessBinding: ...
    @staticmethod
    def cognito(user_pool: cognito.IUserPool, clients: Sequence[cognito.IUserPoolClient]) -> Access: ...
    @staticmethod
    def iam() -> Access: ...
    @staticmethod
    def jwt(*, audience: str | Sequence[str], issuer: str) -> Access: ...
    def problems(self, is_token: Callable[[object], bool]) -> Iterator[Problem]: ...
    @staticmethod
    def public() -> Access: ...
    @property
    def uses_api_keys(self) -> bool: ...
    @property
    def warning(self) -> PlanWarning | None: ...

class Attention(StrEnum):
    FLASHDECODING = "flashdecoding"
    FLASHINFER = "flashinfer"
    PAGED = "paged"

class ConfigurationError(ValueError):
    path: str
    problems: tuple[Problem, ...]
    def __init__(self, path: str, problems: Iterable[Problem]) -> None: ...

class Consumer(Construct):
    api_key: apigateway.IApiKey
    usage_plan: apigateway.IUsagePlan
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        burst: float,
        description: str,
        monthly_requests: float | None,
        rate: float,
        rest_api_id: str,
        stage_name: str,
    ) -> None: ...

class Cors:
    allowed_origins: Sequence[str]
    def __init__(self, *, allowed_origins: Sequence[str]) -> None: ...
    def gateway_headers(self) -> dict[str, str]: ...
    def problems(self, is_token: Callable[[object], bool]) -> Iterator[Problem]: ...

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
    def problems(self, region: str, is_token: Callable[[object], bool], *, private: bool) -> Iterator[Problem]: ...

class Dtype(StrEnum):
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"

class FrontDoor(Construct):
    api: apigateway.IRestApi
    function: lambda_.Function
    stage: apigateway.IStage
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        access: Access | None = None,
        burst_limit: float = 200,
        cloud_watch_role: bool = True,
        cors: Cors | None = None,
        default_max_tokens: int | None = None,
        domain: Domain | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
        memory_size: float = 512,
        models: Mapping[str, IModelEndpoint],
        playground: bool = False,
        rate_limit: float = 100,
        resource_policy: iam.PolicyDocument | None = None,
        streaming: bool = True,
        timeout: Duration | None = None,
        vpc_endpoints: Sequence[ec2.IVpcEndpoint] | None = None,
        web_acl: WebAcl | None = None,
    ) -> None: ...
    def add_consumer(
        self, id: str, *, burst: float | None = None, monthly_requests: float | None = None, rate: float | None = None
    ) -> Consumer: ...
    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant: ...
    def metric(
        self,
        metric_name: str,
        *,
        color: str = ...,
        label: str = ...,
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
    def node(self) -> Node: ...
    @property
    def url(self) -> str: ...

class IModelEndpoint(Protocol):
    @property
    def endpoint_arn(self) -> str: ...
    @property
    def endpoint_name(self) -> str: ...
    @property
    def engine(self) -> str: ...
    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant: ...
    @property
    def max_body_bytes(self) -> int: ...
    @property
    def model_id(self) -> str | None: ...
    @property
    def serving(self) -> ServingFacts: ...

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
        host_memory_gib: float | None = None,
        is_gpu: bool = True,
        memory_gib: float,
        nvme_gb: int | None = None,
        price_usd_per_hour: float | None = None,
        vcpu: int | None = None,
        volume_configurable: bool | None = None,
    ) -> InstanceType: ...

class KvCacheDtype(StrEnum):
    FP8_E4M3FN = "fp8_e4m3fn"
    FP8_E5M2 = "fp8_e5m2"

class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"

class Model(ABC):
    @staticmethod
    def from_hub(
        model_id: str,
        *,
        facts: ModelFacts | None = None,
        revision: str | None = None,
        token: secretsmanager.ISecret | None = None,
    ) -> Model: ...
    @staticmethod
    def from_s3(
        bucket: s3.IBucket, prefix: str, *, facts: ModelFacts | None = None, model_id: str | None = None
    ) -> Model: ...
    @property
    def model_id(self) -> str | None: ...

class ModelFacts:
    checkpoint_dtype: Dtype
    date: str | None
    experts: int
    experts_per_token: int
    flash: bool
    gating: Gating
    head_dim: int
    heads: int
    hidden: int
    hub_id: str
    implementation: str
    intermediate: int | None
    kv_heads: int
    layers: int
    licence: str
    max_positions: int
    model_type: str
    parameters: int
    quantization: str | None
    source: str
    tied_embeddings: bool
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
        implementation: str,
        flash: bool,
        licence: str,
        gating: Gating = "no",
        intermediate: int | None = None,
        vocabulary: int | None = None,
        tied_embeddings: bool = False,
        experts: int = 1,
        experts_per_token: int = 1,
        quantization: str | None = None,
        weight_bytes: int | None = None,
        source: str = "the caller",
        date: str | None = None,
    ) -> None: ...
    @property
    def checkpoint_bytes(self) -> int: ...
    @property
    def gated(self) -> bool: ...

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

class RopeScaling(StrEnum):
    DYNAMIC = "dynamic"
    LINEAR = "linear"

class ServingFacts:
    dtype: str | None
    max_batch_total_tokens: int | None
    max_best_of: int | None
    max_client_batch_size: int | None
    max_concurrent_requests: int | None
    max_input_tokens: int | None
    max_stop_sequences: int | None
    max_top_n_tokens: int | None
    max_total_tokens: int | None
    quantize: str | None
    revision: str | None
    version: str | None
    def __init__(
        self,
        *,
        dtype: str | None = None,
        max_batch_total_tokens: int | None = None,
        max_best_of: int | None = None,
        max_client_batch_size: int | None = None,
        max_concurrent_requests: int | None = None,
        max_input_tokens: int | None = None,
        max_stop_sequences: int | None = None,
        max_top_n_tokens: int | None = None,
        max_total_tokens: int | None = None,
        quantize: str | None = None,
        revision: str | None = None,
        version: str | None = None,
    ) -> None: ...

class TgiEndpoint(Resource):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str | None = None,
        environment: Mapping[str, str] | None = None,
        image: TgiImage | None = None,
        inference_ami_version: str | None = None,
        instance_count: int = 1,
        instance_type: InstanceType | CheapestFor,
        model: Model,
        model_download_timeout: Duration | None = None,
        network_isolation: bool = False,
        options: TgiOptions | None = None,
        role: iam.IRole | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        startup_timeout: Duration | None = None,
        tags: Mapping[str, str] | None = None,
        variant_name: str = "AllTraffic",
        volume_key: kms.IKey | None = None,
        volume_size: Size | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
    ) -> None: ...
    @property
    def connections(self) -> ec2.Connections: ...
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
    @staticmethod
    def from_endpoint_arn(
        scope: Construct,
        id: str,
        endpoint_arn: str,
        *,
        dtype: str = ...,
        endpoint_name: str | None = None,
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
        quantize: str = ...,
        revision: str = ...,
        variant_name: str = "AllTraffic",
        version: str = ...,
    ) -> ImportedEndpoint: ...
    @staticmethod
    def from_endpoint_name(
        scope: Construct,
        id: str,
        endpoint_name: str,
        *,
        dtype: str = ...,
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
        quantize: str = ...,
        revision: str = ...,
        variant_name: str = "AllTraffic",
        version: str = ...,
    ) -> ImportedEndpoint: ...
    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant: ...
    @property
    def grant_principal(self) -> iam.IPrincipal: ...
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
    def role(self) -> iam.IRole: ...
    @property
    def serving(self) -> ServingFacts: ...
    @property
    def variant_name(self) -> str: ...

class TgiImage:
    def __init__(self, choice: ImageChoice, source: ImageSource) -> None: ...
    @staticmethod
    def from_ecr_repository(repository: ecr.IRepository, *, tag: str, version: str) -> TgiImage: ...
    @staticmethod
    def from_uri(uri: str, *, version: str) -> TgiImage: ...
    @staticmethod
    def version(version: str) -> TgiImage: ...

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

class WebAcl(ABC):
    def arn(self, scope: Construct) -> str: ...
    def bind(self, scope: Construct, *, stage_arn: str) -> None: ...
    @staticmethod
    def from_arn(web_acl_arn: str) -> WebAcl: ...
    @staticmethod
    def from_web_acl(web_acl: wafv2.CfnWebACL) -> WebAcl: ...
    @staticmethod
    def managed(*, requests_per_five_minutes: int = 2000) -> WebAcl: ...
    def problems(self, region: str, is_token: Callable[[object], bool]) -> Iterator[Problem]: ...

def read_model_file(path: str | os.PathLike[str]) -> ModelFile: ...
