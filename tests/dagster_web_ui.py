"""Dagster's GraphQL API, used in tests as Dagster's web UI uses it: through the gateway."""

from typing import Any

import httpx

LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message causes { message } }
  }
}
"""
RUN = """
query Run($id: ID!) {
  runOrError(runId: $id) {
    ... on Run {
      status
      tags { key value }
      assetMaterializations {
        assetKey { path }
        metadataEntries {
          label
          ... on IntMetadataEntry { intValue }
          ... on TextMetadataEntry { text }
          ... on TableMetadataEntry { table { records } }
        }
      }
      eventConnection(afterCursor: null) {
        events {
          __typename
          ... on MessageEvent { message }
          ... on ExecutionStepFailureEvent { error { message causes { message } } }
          ... on RunFailureEvent { error { message causes { message } } }
        }
      }
    }
  }
}
"""
RUN_STATUS = """
query RunStatus($id: ID!) {
  runOrError(runId: $id) { ... on Run { status } }
}
"""
TERMINATE = """
mutation Terminate($id: String!) {
  terminateRun(runId: $id) { __typename }
}
"""
ENDED_STATUSES = ("SUCCESS", "FAILURE", "CANCELED")


def query_dagster(http: httpx.Client, query: str, **variables: Any) -> Any:
    """Send a GraphQL query through the gateway and return its data; fail the test on a GraphQL error."""
    body = http.post("/dagster/graphql", json={"query": query, "variables": variables}).json()
    assert not body.get("errors"), body
    return body["data"]
