"""For pages that are read in the repository too: pictures of the benchmarks come along, links out of docs/ are text."""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_PICTURES = "benchmarks/results"
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\(\.\./(?P<path>[^)#]+)(?:#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pictures of the benchmarks."""
    for picture in sorted((Path(config.config_file_path).parent / _PICTURES).glob("*.png")):
        content = picture.read_bytes()
        files.append(File.generated(config, f"{_PICTURES}/{picture.name}", content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let the site's own copies of the pictures be shown, and name files of the project that are not on the site."""
    return _LINK.sub(r"`\g<path>`", markdown.replace(f"](../{_PICTURES}/", f"]({_PICTURES}/"))
