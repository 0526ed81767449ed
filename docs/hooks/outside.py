"""MkDocs hooks for pages that are also read in the repository: add the plots, turn links out of docs/ into text."""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_PICTURES = "benchmarks/results"
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\(\.\./(?P<path>[^)#]+)(?:#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the benchmarks' plots to the site's files."""
    for picture in sorted((Path(config.config_file_path).parent / _PICTURES).glob("*.png")):
        content = picture.read_bytes()
        files.append(File.generated(config, f"{_PICTURES}/{picture.name}", content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Point to the site's copies of the plots, and replace links to files that are not on the site by their paths."""
    return _LINK.sub(r"`\g<path>`", markdown.replace(f"](../{_PICTURES}/", f"]({_PICTURES}/"))
