"""Specifications as AWS publishes them in JumpStart's bucket, with made-up models.

Their members are those of the specifications in aws/sagemaker-python-sdk,
sagemaker-serve/tests/unit/servers/data/jumpstart_specs (2026-08-05), and of sagemaker-core 2.27.0 jumpstart/types.py.
"""

from copy import deepcopy

LMI = "djl-inference:0.29.0-lmi11.0.0-cu124"
TGI = "huggingface-pytorch-tgi-inference:2.4.0-tgi2.4.0-gpu-py311-cu124-ubuntu22.04-v2.2"
VLLM = "vllm:0.18.0-gpu-py312-cu129-ubuntu22.04-sagemaker"
PYTORCH = "pytorch-inference:2.0.0-gpu-py310"
NEURON = "huggingface-pytorch-tgi-inference:2.1.2-optimum0.0.28-neuronx-py310-ubuntu22.04"
REGISTRIES = {
    "eu-west-1": "763104351884.dkr.ecr.eu-west-1.amazonaws.com",
    "us-east-1": "763104351884.dkr.ecr.us-east-1.amazonaws.com",
    "cn-north-1": "727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn",
}


def variable(name, default, *, required=True):
    kind = "int" if isinstance(default, int) else "text"
    return {
        "name": name,
        "default": default,
        "required_for_model_class": required,
        "scope": "container",
        "type": kind,
    }


def images(**aliases):
    return {
        region: {alias: f"{registry}/{image}" for alias, image in aliases.items()}
        for region, registry in REGISTRIES.items()
    }


def uses(alias):
    return {"regional_properties": {"image_uri": f"${alias}"}}


def has(**properties):
    return {"properties": properties}


def spec(**changes):
    """A gated model on TGI whose family and instance types both have variables of their own."""
    return deepcopy(
        {
            "model_id": "team-llama",
            "version": "2.10.1",
            "min_sdk_version": "2.232.1",
            "url": "https://example.com/llama",
            "huggingface_id": "team/llama",
            "license": "Team Community License",
            "deprecated": False,
            "inference_vulnerable": False,
            "inference_vulnerabilities": [],
            "inference_dependencies": ["sagemaker_inference==1.5.5"],
            "training_supported": False,
            "gated_bucket": True,
            "hosting_eula_key": "fmhMetadata/eula/teamEula.txt",
            "hosting_use_script_uri": False,
            "hosting_script_key": "source-directory-tarballs/team/inference/textgeneration/v1.0.0/sourcedir.tar.gz",
            "hosting_artifact_key": "team/llama/artifacts/inference/v1.0.0/",
            "hosting_prepacked_artifact_key": "team/llama/artifacts/inference-prepack/v1.0.0/",
            "hosting_ecr_specs": {"framework": "huggingface-llm", "framework_version": "2.4.0", "py_version": "py311"},
            "hosting_instance_type_variants": {
                "regional_aliases": images(gpu_ecr_uri_1=TGI),
                "variants": {
                    "g5": {**uses("gpu_ecr_uri_1"), **has(environment_variables={"MAX_TOTAL_TOKENS": "2000"})},
                    "g6": uses("gpu_ecr_uri_1"),
                    "ml.g5.12xlarge": has(
                        environment_variables={"SM_NUM_GPUS": "4", "NUM_SHARD": 4},
                        resource_requirements={"num_accelerators": 4, "min_memory_mb": 98304},
                    ),
                    "ml.g6.12xlarge": has(environment_variables={"SM_NUM_GPUS": "4"}),
                },
            },
            "hosting_resource_requirements": {"num_accelerators": 1, "min_memory_mb": 16384},
            "inference_environment_variables": [
                variable("HF_MODEL_ID", "/opt/ml/model"),
                variable("MAX_INPUT_TOKENS", 1000),
                variable("MAX_TOTAL_TOKENS", 4096),
                variable("SAGEMAKER_CONTAINER_LOG_LEVEL", "20", required=False),
            ],
            "inference_volume_size": 256,
            "inference_enable_network_isolation": True,
            "dynamic_container_deployment_supported": True,
            "default_inference_instance_type": "ml.g5.2xlarge",
            "supported_inference_instance_types": ["ml.g5.2xlarge", "ml.g5.12xlarge", "ml.g6.12xlarge"],
            "deploy_kwargs": {
                "container_startup_health_check_timeout": 1500,
                "model_data_download_timeout": 1200,
            },
            "model_kwargs": {},
        }
        | changes
    )


def open_spec(**changes):
    """The same without a licence agreement."""
    found = spec(gated_bucket=False, **changes)
    if "hosting_eula_key" not in changes:
        del found["hosting_eula_key"]
    return found


def spec_with_configs(**changes):
    """An open model with two inference configurations, of which the preferred one has a draft model beside it."""
    found = open_spec(**changes)
    component = {
        key: found[key]
        for key in found
        if key.startswith(("hosting_", "inference_", "supported_", "default_", "dynamic_", "deploy_"))
    }
    lmi = deepcopy(component) | {
        "hosting_ecr_specs": {"framework": "djl-lmi", "framework_version": "0.29.0", "py_version": "py310"},
        "hosting_instance_type_variants": {
            "regional_aliases": images(alias_ecr_uri_1=LMI),
            "variants": {
                "g5": uses("alias_ecr_uri_1"),
                "g6": uses("alias_ecr_uri_1"),
                "ml.g5.12xlarge": has(environment_variables={"OPTION_TENSOR_PARALLEL_DEGREE": "4"}),
            },
        },
        "supported_inference_instance_types": ["ml.g5.12xlarge", "ml.g6.12xlarge"],
        "default_inference_instance_type": "ml.g6.12xlarge",
        "inference_environment_variables": [
            variable("HF_MODEL_ID", "/opt/ml/model"),
            variable("OPTION_MAX_MODEL_LEN", "8192"),
        ],
        "model_id": "a configuration cannot change it",
    }
    source = {
        "artifact_version": "v1.0.0",
        "channel_name": "draft_model",
        "provider": {"classification": "gated", "name": "JumpStart"},
        "s3_data_source": {
            "compression_type": "None",
            "s3_data_type": "S3Prefix",
            "s3_uri": "team/draft/artifacts/inference-prepack/v1.0.0/",
        },
    }
    fast = deepcopy(lmi) | {"hosting_additional_data_sources": {"speculative_decoding": [source]}}
    found |= {
        "inference_config_components": {"lmi": lmi, "lmi-optimized": fast},
        "inference_configs": {
            "lmi": {"component_names": ["lmi"]},
            "lmi-optimized": {"component_names": ["lmi-optimized"]},
        },
        "inference_config_rankings": {
            "overall": {"description": "default", "rankings": ["lmi-optimized", "lmi"]},
        },
    }
    return found


def spec_by_instance(**changes):
    """A model in archives, packed for each instance type."""
    return open_spec(
        hosting_prepacked_artifact_key="team/llama/inference-prepack/v1.0.0/infer-prepack.tar.gz",
        hosting_instance_type_variants={
            "regional_aliases": images(gpu_ecr_uri_1=TGI, gpu_ecr_uri_2=VLLM),
            "variants": {
                "g5": {
                    **uses("gpu_ecr_uri_1"),
                    **has(prepacked_artifact_key="team/llama/g5/infer-prepack.tar.gz"),
                },
                "g6": uses("gpu_ecr_uri_1"),
                "ml.g5.12xlarge": {
                    **uses("gpu_ecr_uri_2"),
                    **has(prepacked_artifact_key="team/llama/g5-12xlarge/infer-prepack.tar.gz"),
                },
            },
        },
        **changes,
    )
