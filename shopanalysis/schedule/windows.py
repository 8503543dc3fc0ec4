"""A task for the Windows task scheduler, as XML for schtasks."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as xml
from collections.abc import Sequence
from datetime import datetime

from shopanalysis.errors import ParameterError
from shopanalysis.schedule.jobs import Job

SPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
SETTINGS = {
    "MultipleInstancesPolicy": "IgnoreNew",
    "DisallowStartIfOnBatteries": "false",
    "StopIfGoingOnBatteries": "false",
    "StartWhenAvailable": "true",
    "ExecutionTimeLimit": "PT12H",
}


def task(jobs: Sequence[Job]) -> str:
    """A document per job; the comment before it says how to register it."""
    return "\n".join(_document(job) for job in jobs)


def _document(job: Job) -> str:
    start = job.starts(1)[0].isoformat()
    moves = len({start.utcoffset() for start in job.starts()}) > 1
    told = job.told + ("; renew it when summer time begins or ends" if moves else "")
    root = _element("Task", version="1.2", xmlns=SPACE)
    _texts(_under(root, "RegistrationInfo"), Description=told)
    trigger = _under(_under(root, "Triggers"), "CalendarTrigger")
    _texts(trigger, StartBoundary=start, Enabled="true")
    _texts(_under(trigger, "ScheduleByDay"), DaysInterval="1")
    principal = _under(_under(root, "Principals"), "Principal", id="Author")
    _texts(principal, LogonType="InteractiveToken", RunLevel="LeastPrivilege")
    _texts(_under(root, "Settings"), **SETTINGS)
    actions = _under(root, "Actions", Context="Author")
    for call in filter(None, (job.run, job.send)):
        arguments = subprocess.list2cmdline(call[1:])
        _texts(_under(actions, "Exec"), Command=call[0], Arguments=arguments,
               WorkingDirectory=job.folder)  # fmt: skip
    xml.indent(root)
    text = xml.tostring(root, encoding="us-ascii", xml_declaration=False).decode()
    check(text, job)
    return f"<!-- schtasks /Create /TN {job.name} /XML {job.name}.xml -->\n{text}"


def _element(name: str, **attributes: str) -> xml.Element:
    return xml.Element(name, attributes)


def _under(parent: xml.Element, name: str, **attributes: str) -> xml.Element:
    return xml.SubElement(parent, name, attributes)


def _texts(parent: xml.Element, **texts: str) -> None:
    for name, text in texts.items():
        xml.SubElement(parent, name).text = text


def check(text: str, job: Job) -> None:
    """Raise ParameterError unless the XML can be read and starts the calls of `job` at its hour."""
    try:
        root = xml.fromstring(text)
    except xml.ParseError as cause:
        raise ParameterError(f"The task is no XML: {cause}.") from None
    start = datetime.fromisoformat(root.findtext(f".//{{{SPACE}}}StartBoundary", "1970-01-01"))
    found = [action.text for action in root.iterfind(f".//{{{SPACE}}}Command")]
    calls = [call for call in (job.run, job.send) if call]
    if start != job.starts(1)[0] or found != [call[0] for call in calls]:
        raise ParameterError(f"The task would start {found} at {start}.")
