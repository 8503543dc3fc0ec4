"""Unattended runs: notebooks × days × shops, through papermill, to published reports.

notebooks    which there are, their parameters and the tables they need
coverage     which days and notebooks a shop's tables allow
execution    one notebook in one kernel, and whether every cell ran
files        whole or not at all, and locks
publishing   reports/<date>/<shop>/
waiting      until the exports of yesterday are there
runs         the plan of a call, and its exit code
"""
