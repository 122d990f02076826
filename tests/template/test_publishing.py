"""`sam publish`: the metadata keep to the limits of the AWS Serverless Application Repository, and are true.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-template-publishing-applications-metadata-properties.html
"""

import re
import tomllib

import pytest

from tests.template.transformed import PROJECT, TEMPLATE, shipped

APPLICATION: dict[str, str | list[str]] = shipped()["Metadata"]["AWS::ServerlessRepo::Application"]
PATTERNS = {
    "Name": "[a-zA-Z0-9-]{1,140}",
    "Description": ".{1,256}",
    "Author": "(?=.{1,127}$)[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?",
    "SemanticVersion": r"\d+\.\d+\.\d+",
}
PACKAGE = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LARGEST_FILE = 5 * 1024 * 1024
# Of a template that is read from a bucket:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
LARGEST_TEMPLATE = 1024 * 1024


@pytest.mark.parametrize("name", PATTERNS)
def test_a_text_keeps_to_its_limits(name: str) -> None:
    assert re.fullmatch(PATTERNS[name], str(APPLICATION[name]))


def test_the_labels_keep_to_their_limits() -> None:
    labels = APPLICATION["Labels"]
    assert 1 <= len(labels) <= 10
    assert [label for label in labels if not re.fullmatch(r"[a-zA-Z0-9+\-_:/@]{1,127}", label)] == []


@pytest.mark.parametrize("name", ["LicenseUrl", "ReadmeUrl"])
def test_a_file_is_there_and_small_enough(name: str) -> None:
    file = PROJECT / str(APPLICATION[name])
    assert 0 < file.stat().st_size < LARGEST_FILE


def test_the_license_is_that_of_the_package_and_of_the_file() -> None:
    assert APPLICATION["SpdxLicenseId"] == PACKAGE["license"]
    assert (PROJECT / "LICENSE").read_text(encoding="utf-8").startswith(f"{PACKAGE['license']} License")


def test_the_version_is_that_of_the_package_and_of_the_newest_release() -> None:
    assert APPLICATION["SemanticVersion"] == PACKAGE["version"]
    headings = re.findall(
        r"^## \[?(\d+\.\d+\.\d+)", (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert headings[:1] in ([], [PACKAGE["version"]])


def test_no_address_is_stated_that_nobody_has_checked() -> None:
    assert not {"HomePageUrl", "SourceCodeUrl"} & APPLICATION.keys()


def test_a_template_that_is_packaged_stays_small_enough() -> None:
    # Packaging writes an address of at most 1 KiB in place of each folder and file.
    assert TEMPLATE.stat().st_size + 20 * 1024 < LARGEST_TEMPLATE
