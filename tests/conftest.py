"""An empty shop, and the demo shop imported once for every test that reads it."""

import shutil
from pathlib import Path

import pytest
from hypothesis import settings
from small_shops import DEMO

from shopanalysis import shop

settings.register_profile("shopanalysis", deadline=None)  # a busy machine is not a wrong answer
settings.load_profile("shopanalysis")


@pytest.fixture
def folder(tmp_path) -> Path:
    """An empty shop's folder."""
    path = tmp_path / "little"
    path.mkdir()
    (path / "shop.toml").write_text('name = "Little Shop"\ncurrency = "CNY"\nlanguage = "en"\n')
    return path


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> shop.Shop:
    """The demo shop, its tables made from its export files."""
    from shopanalysis import exports

    path = tmp_path_factory.mktemp("demo") / "demo"
    shutil.copytree(DEMO, path, ignore=shutil.ignore_patterns("tables", "salt"))
    exports.refresh(path)
    return shop.load(path)
