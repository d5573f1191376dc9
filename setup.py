"""The packages of the wheel; everything else about it stands in pyproject.toml.

Two folders have another name when installed: ``app`` becomes ``daam_app``, since a package of so common
a name would stand in the way of other people's, and ``assets`` becomes a folder of ``daam_core``.
"""

from setuptools import find_packages, setup

library = find_packages(include=["daam_core", "daam_core.*"])
page = [f"daam_{name}" for name in find_packages(include=["app", "app.*"])]

setup(
    packages=[*library, *page, "daam_core.assets"],
    package_dir={"daam_app": "app", "daam_core.assets": "assets"},
)
