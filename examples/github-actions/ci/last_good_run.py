"""Print the id of the last run that deployed everywhere, and whose assembly is still kept; nothing if there is none.

Requires GH_TOKEN with `actions: read`, and GITHUB_API_URL and GITHUB_REPOSITORY, which every job has.
`python ci/last_good_run.py deploy.yml main` names the workflow's file and the branch.
"""

from __future__ import annotations

import sys

from github import listed

ARTIFACT = "assembly"


def main(workflow: str, branch: str) -> None:
    """Print the id.

    Args:
        workflow: The file of the workflow.
        branch: The branch whose runs count.
    """
    # The newest run is first.
    for run in listed(f"/actions/workflows/{workflow}/runs?branch={branch}&status=success", "workflow_runs"):
        artifacts = listed(f"/actions/runs/{run['id']}/artifacts?name={ARTIFACT}", "artifacts")
        if any(not artifact["expired"] for artifact in artifacts):
            sys.stderr.write(f"A rollback would deploy the assembly of {run['html_url']} ({run['head_sha'][:9]}).\n")
            sys.stdout.write(f"{run['id']}\n")
            return
    sys.stderr.write("There is no assembly to roll back to: none was deployed, or it is no longer kept.\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
