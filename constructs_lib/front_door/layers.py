"""Lambda layers of the front door's function, whose content it sees below /opt.

What differs from one front door to the next is in layers, so that the code of the function is the same for all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import IAnyProducer, IResolveContext, Lazy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping


def file_layer(
    scope: Construct, id: str, *, files: Mapping[str, Callable[[], str | None]], description: str
) -> lambda_.CfnLayerVersion:
    """A layer with text files, written at synthesis.

    Args:
        scope: The scope of the layer.
        id: Its id.
        files: By their paths from `/opt`, what returns the text of each, without tokens, or None for no such file.
            Called after everything else has been constructed, several times.
        description: Shown in the Lambda console.
    """
    content = _FileContent(files)
    content.layer = layer = lambda_.CfnLayerVersion(
        scope, id, content=Lazy.uncached_any(content), description=description
    )
    return layer


@jsii.implements(IAnyProducer)
class _FileContent:
    """The content of a layer version, staged when the CDK first resolves it: then constructs can still be added."""

    layer: lambda_.CfnLayerVersion

    def __init__(self, files: Mapping[str, Callable[[], str | None]]) -> None:
        self._files = files
        self._staged: dict[tuple[str | None, ...], Mapping[str, str]] = {}

    def produce(self, context: IResolveContext) -> Any:
        """Where the archive is, as the layer version's `content`."""
        texts = tuple(render() for render in self._files.values())
        if texts not in self._staged:
            self._staged[texts] = self._stage(texts)
        return self._staged[texts]

    def _stage(self, texts: tuple[str | None, ...]) -> Mapping[str, str]:
        with tempfile.TemporaryDirectory() as folder:
            for path, text in zip(self._files, texts, strict=True):
                if text is None:
                    continue
                file = Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
                # Lambda runs the function as another user, and archives keep the modes: whatever this user's umask is.
                file.chmod(0o644)
            asset = assets.Asset(self.layer, f"Content{len(self._staged) or ''}", path=folder)
        asset.add_resource_metadata(self.layer, "Content")
        return {"s3Bucket": asset.s3_bucket_name, "s3Key": asset.s3_object_key}
