"""Unattended runs: notebooks × days × shops, through papermill, to published reports.

notebooks     which there are, their parameters and the tables they need
coverage      which days and notebooks a shop's tables allow
waiting       until the exports of yesterday are there
runs          the plan of a call, its order, and its exit code (results)
days          one shop and day: which notebooks have to run, and what they leave
fingerprints  what a report was made from, as hashes
pool          notebooks, so many at a time
execution     one notebook in one kernel, and whether every cell ran
warm          kernels forked from a process that has imported their libraries
              (forking: that process; ahead: what it loads; provisioner: jupyter_client's side)
publishing    reports/<date>/<shop>/
files         whole or not at all, and locks
sessions      what a run holds while it lasts
stopping      SIGTERM and Ctrl-C
reporting     lines for people, JSON for machines
"""
