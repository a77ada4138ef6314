"""CodeBuild: runs the commands of a project's buildspec, each build in a process of its own."""

from local.codebuild.builds import BuildError, Builds
from local.codebuild.project import Project, read_project

__all__ = ["BuildError", "Builds", "Project", "read_project"]
