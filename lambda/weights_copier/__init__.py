"""Copies one commit of a Hugging Face repository into S3 and verifies each file: `python3 -m weights_copier`.

It runs in a CodeBuild project and in the terminal (`tgi-endpoint stage`), on Python 3.10 or newer with boto3 and
nothing else. `request`, `places` and `patterns` need the standard library alone: synth and the function that starts the
job use them as well.
"""
