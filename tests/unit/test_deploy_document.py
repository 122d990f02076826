"""functions/DEPLOY.md: its commands can be parsed, and whatever it names is in the template."""

import ast
import re
import subprocess
from collections import Counter
from typing import Any

import hcl2
import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.template.lint_transformed import problems
from tests.template.test_least_privilege import as_list
from tests.template.transformed import PROJECT, Json, outputs, resources, shipped

FOLDER = PROJECT / "functions"
DOCUMENT = (FOLDER / "DEPLOY.md").read_text(encoding="utf-8")
KEY_TEMPLATE = (FOLDER / "key.yaml").read_text(encoding="utf-8")
KEY: Json = yaml_parse(KEY_TEMPLATE)
CAPABILITIES = {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}
PACKAGED = "https://artifacts-eu-central-1.s3.eu-central-1.amazonaws.com/song-intake/0.1.0/packaged.yaml"


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, flags=re.DOTALL | re.MULTILINE)
    assert found
    return found


def section(title: str) -> str:
    _, heading, rest = DOCUMENT.partition(f"# {title}\n")
    assert heading, f"there is no section {title}"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("commands", blocks("sh"))
def test_a_shell_can_parse_the_commands(commands: str) -> None:
    ended = subprocess.run(["/bin/sh", "-n"], input=commands, text=True, capture_output=True, check=False, timeout=30)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_each_parameter_that_a_command_sets_is_one_of_the_template() -> None:
    known = {*shipped()["Parameters"], *KEY["Parameters"]}
    commands = "\n".join(blocks("sh")).replace("\\\n", " ")
    overrides = [
        given for line in commands.splitlines() for given in line.partition("--parameter-overrides ")[2].split()
    ]
    assert {given.partition("=")[0] for given in overrides} <= known
    assert {
        given.partition("=")[0] for given in re.findall(r"`(\w+=\d+)`", section("Limits of a new account"))
    } <= known


def test_each_output_that_is_named_is_one_of_the_template() -> None:
    named = set(re.findall(r"\$\(output (\w+)\)|`(\w+PolicyArn)`|Outputs\.(\w+)\b", DOCUMENT))
    assert {name for found in named for name in found if name} <= outputs().keys()


def test_each_option_of_sam_and_of_the_aws_cli_is_known() -> None:
    # The options that this project has looked up: a typo is none of them.
    known = {
        *(
            "--parameter-overrides",
            "--no-confirm-changeset",
            "--template-file",
            "--stack-name",
            "--s3-bucket",
            "--tags",
        ),
        *(
            "--s3-prefix",
            "--output-template-file",
            "--template",
            "--semantic-version",
            "--secret-id",
            "--secret-string",
        ),
        *("--output", "--query", "--tag-filters", "--event-bus-name"),
        *("--table-name", "--no-deletion-protection-enabled", "--force", "--queue-url", "--log-group-name"),
    }
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", DOCUMENT)) == known


def test_terraform_deploys_the_packaged_template_with_parameters_and_outputs_of_it() -> None:
    (text,) = blocks("hcl")
    (stack, attachment) = (_plain(resource) for resource in hcl2.loads(text)["resource"])
    given = stack["aws_cloudformation_stack"]["song_intake"]
    assert set(given["capabilities"]) == CAPABILITIES
    assert given["template_url"] == PACKAGED
    assert given["parameters"].keys() <= shipped()["Parameters"].keys()
    policy = attachment["aws_iam_role_policy_attachment"]["may_send"]["policy_arn"]
    (name,) = re.findall(r"^\$\{aws_cloudformation_stack\.song_intake\.outputs\[\"?(\w+)\"?\]\}$", policy)
    assert name in outputs()


def _plain(node: Any) -> Any:
    """What the parser returns, without the quotes of its texts."""
    match node:
        case dict():
            return {key.strip('"'): _plain(value) for key, value in node.items()}
        case list():
            return [_plain(value) for value in node]
        case str():
            return node.strip('"')
    return node


def test_cdk_deploys_the_packaged_template_with_parameters_and_outputs_of_it() -> None:
    (text,) = blocks("python")
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    (stack,) = [call for call in calls if ast.unparse(call.func) == "cdk.CfnStack"]
    given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in stack.keywords}
    assert given["template_url"] == PACKAGED
    assert given["parameters"].keys() <= shipped()["Parameters"].keys()
    (output,) = [call for call in calls if ast.unparse(call.func).endswith(".get_att")]
    assert ast.literal_eval(output.args[0]).removeprefix("Outputs.") in outputs()


def test_what_a_deletion_leaves_is_what_the_template_retains() -> None:
    retained = Counter(
        resource["Type"] for resource in resources().values() if resource.get("DeletionPolicy", "Delete") != "Delete"
    )
    assert retained == {
        "AWS::DynamoDB::Table": 1,
        "AWS::SQS::Queue": 6,
        "AWS::SecretsManager::Secret": 2,
        "AWS::S3::Bucket": 1,
        "AWS::Logs::LogGroup": 1,
        "AWS::Lambda::LayerVersion": 1,
    }
    stated = " ".join(section("Remove a stack, and go on with its ledger").split())
    assert (
        "the ledger, the six queues, the two secrets, the bucket of recordings and the log of `submit_song`" in stated
    )
    assert "the versions of the layer `song_client`" in stated


def test_the_services_that_need_the_key_are_those_of_the_template_of_the_key() -> None:
    statements = KEY["Resources"]["Key"]["Properties"]["KeyPolicy"]["Statement"]
    *of_services, of_senders = statements[1:]
    needed = {_service(one["Principal"]["Service"]): set(as_list(one["Action"])) for one in of_services}
    stated = {
        re.findall(r"`([a-z.A-Z]+)`", row[0])[0]: set(re.findall(r"`(kms:[\w*]+)`", row[2]))
        for row in (line.strip("| ").split(" | ") for line in section("A KMS key of your own").splitlines())
        if len(row) > 2 and ".amazonaws.com" in row[0] and "SenderServices" not in row[1]
    }
    assert stated == needed
    allowed = KEY["Parameters"]["SenderServices"]["AllowedPattern"]
    assert [bool(re.search(allowed, f"{name}.amazonaws.com")) for name in ("sns", "events", "sqs")] == [
        True,
        True,
        False,
    ]
    assert of_senders["Fn::If"][1]["Principal"] == {"Service": {"Ref": "SenderServices"}}


def _service(principal: str | Json) -> str:
    return principal if isinstance(principal, str) else principal["Fn::Sub"].replace("${AWS::Region}", "REGION")


def test_no_service_uses_the_key_for_another_account() -> None:
    statements = KEY["Resources"]["Key"]["Properties"]["KeyPolicy"]["Statement"]
    conditions = [one["Condition"] for one in statements[1:-1]]
    assert all("AWS::AccountId" in str(condition) for condition in conditions)


def test_cfn_lint_finds_nothing_in_the_template_of_the_key() -> None:
    assert problems(KEY_TEMPLATE) == []


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)", DOCUMENT))
def test_each_link_into_the_project_leads_somewhere(link: str) -> None:
    assert (FOLDER / link).exists()


def test_the_document_can_be_read_in_one_sitting() -> None:
    assert len(DOCUMENT.splitlines()) <= 240
