"""The only public endpoint of the stack, and that it can be left out."""

import json

import pytest

from tests.template.transformed import Json, arn_of, properties, resources, resources_of, shipped

OF_THE_WEBHOOK = {
    "ReceiveWebhook",
    "ReceiveWebhookRole",
    "ReceiveWebhookLogGroup",
    "WebhookApi",
    "WebhookIntegration",
    "WebhookRoute",
    "WebhookAccessLogGroup",
    "WebhookStage",
    "WebhookPermission",
    "ReceiveWebhookErrorsAlarm",
    "ReceiveWebhookThrottlesAlarm",
    "WebhookApiErrorsAlarm",
}
OUTPUTS_OF_THE_WEBHOOK = {"WebhookUrl", "ReceiveWebhookFunctionName", "ReceiveWebhookLogGroup"}


def only_with_webhook(entries: dict[str, Json]) -> set[str]:
    return {name for name, entry in entries.items() if entry.get("Condition") == "HasWebhook"}


def test_all_webhook_resources_and_outputs_are_conditional() -> None:
    assert only_with_webhook(resources()) == OF_THE_WEBHOOK
    assert only_with_webhook(shipped()["Outputs"]) == OUTPUTS_OF_THE_WEBHOOK


def test_the_webhook_is_there_unless_it_is_switched_off() -> None:
    assert shipped()["Conditions"]["HasWebhook"] == {"Fn::Equals": [{"Ref": "Webhook"}, "on"]}
    assert shipped()["Parameters"]["Webhook"]["Default"] == "on"


@pytest.mark.parametrize("part", ["Integration", "Route", "Stage"])
def test_there_is_one_api_with_one_of_each_part(part: str) -> None:
    [api] = resources_of("AWS::ApiGatewayV2::Api")
    [found] = resources_of(f"AWS::ApiGatewayV2::{part}").values()
    assert found["ApiId"] == {"Ref": api}


def test_its_one_route_names_the_request_and_the_mac_and_leads_to_receive_webhook() -> None:
    assert properties("WebhookApi")["ProtocolType"] == "HTTP"
    assert properties("WebhookRoute")["RouteKey"] == "POST /{request_id}/{mac}"
    assert properties("WebhookRoute")["Target"] == {"Fn::Sub": "integrations/${WebhookIntegration}"}
    integration = properties("WebhookIntegration")
    assert (integration["IntegrationType"], integration["PayloadFormatVersion"]) == ("AWS_PROXY", "2.0")
    assert integration["IntegrationUri"] == arn_of("ReceiveWebhook")


def test_a_flood_of_webhooks_is_throttled_before_it_costs_an_invocation() -> None:
    throttling = {"ThrottlingRateLimit": 20, "ThrottlingBurstLimit": 40}
    assert properties("WebhookStage")["DefaultRouteSettings"] == throttling


def test_the_access_log_has_the_result_of_a_call_but_not_its_path_which_has_the_mac() -> None:
    settings = properties("WebhookStage")["AccessLogSettings"]
    assert settings["DestinationArn"] == arn_of("WebhookAccessLogGroup")
    assert json.loads(settings["Format"]) == {
        "requestId": "$context.requestId",
        "status": "$context.status",
        "routeKey": "$context.routeKey",
    }


def test_the_access_log_takes_no_room_in_the_accounts_policy_of_log_deliveries() -> None:
    name, parts = properties("WebhookAccessLogGroup")["LogGroupName"]["Fn::Sub"]
    assert name == "/aws/vendedlogs/${AWS::StackName}-webhooks-${StackUuid}"
    assert parts == {"StackUuid": {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}}


def test_the_api_is_deployed_at_the_root_of_its_url() -> None:
    stage = properties("WebhookStage")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)


def test_only_the_route_of_this_api_may_invoke_receive_webhook() -> None:
    assert properties("WebhookPermission") == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "ReceiveWebhook"},
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebhookApi}/*/POST/*/*"
        },
    }


def test_an_update_changes_track_song_before_the_function_whose_hints_it_reads() -> None:
    assert "TrackSong" in resources()["ReceiveWebhook"]["DependsOn"]


def test_the_key_is_generated_and_outlives_its_stack() -> None:
    key = resources()["WebhookKey"]
    assert key["Properties"]["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True}
    assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
