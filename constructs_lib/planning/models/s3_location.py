"""Where weights in S3 are: a folder of files, or one compressed archive.

Source: botocore 1.44.5, sagemaker `S3ModelDataSource`: with `S3Object` and `Gzip` SageMaker unpacks a gzip-compressed
TAR archive, and no other kind; with `S3Prefix` it takes every object below a prefix as a file.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.validation.problem import Problem

_UNPACKED = (".tar.gz", ".tgz")
_ARCHIVES = (*_UNPACKED, ".tar", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip", ".7z", ".gz")
_WILDCARDS = ("*", "?", "${")
_FILES = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".json")


def prefix_problems(prefix: object) -> Iterator[Problem]:
    """What is wrong with the folder of `Model.from_s3`."""
    keyword = "model.prefix"
    if not isinstance(prefix, str) or "://" in prefix:
        fix = "Give only the folder, such as llama/, or '' for the entire bucket."
        yield Problem(keyword, prefix, "must be a folder inside the bucket", fix)
    elif _has_wildcard(prefix):
        yield _wildcard_problem(keyword, prefix)
    elif prefix.lower().endswith(_UNPACKED):
        message = "is a compressed archive, not a folder of uncompressed files"
        yield Problem(keyword, prefix, message, f"Use Model.from_s3_archive(bucket, {prefix.lstrip('/')!r}).")
    elif prefix.lower().endswith(_ARCHIVES):
        message = "is a compressed archive, of a kind that SageMaker does not unpack"
        fix = "Upload its files into a folder, or pack them as model.tar.gz for Model.from_s3_archive."
        yield Problem(keyword, prefix, message, fix)
    elif prefix.lower().endswith(_FILES):
        folder = prefix.strip("/").rpartition("/")[0]
        yield Problem(keyword, prefix, "is a file; SageMaker needs all files of the model", f"Give {folder!r}.")


def key_problems(key: object) -> Iterator[Problem]:
    """What is wrong with the key of `Model.from_s3_archive`."""
    keyword = "model.key"
    if not isinstance(key, str) or "://" in key or not key.strip("/"):
        fix = "Give only the key, such as my-training-job/output/model.tar.gz."
        yield Problem(keyword, key, "must be the key of an archive inside the bucket", fix)
    elif _has_wildcard(key):
        yield _wildcard_problem(keyword, key)
    elif not key.lower().endswith(_UNPACKED):
        is_archive = key.lower().endswith(_ARCHIVES)
        fix = (
            "Pack its files as model.tar.gz."
            if is_archive
            else f"For files in a folder use Model.from_s3(bucket, {key!r})."
        )
        yield Problem(keyword, key, "must end in .tar.gz or .tgz: SageMaker unpacks nothing else", fix)
    elif key.startswith("/"):
        yield Problem(keyword, key, "begins with a slash, which is part of a key", f"Give {key.lstrip('/')!r}.")


def _has_wildcard(text: str) -> bool:
    return any(each in text for each in _WILDCARDS)


def _wildcard_problem(keyword: str, text: str) -> Problem:
    """The role's policy names the location; IAM reads these as wildcards and variables.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    message = 'has "*", "?" or "${", with which the role\'s policy would allow other objects too'
    return Problem(keyword, text, message, "Copy the files under another name.")
