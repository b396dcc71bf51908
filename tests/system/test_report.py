"""The optional units of the report under a real systemd."""

import pytest

from tests.system.server import Server

pytestmark = pytest.mark.slow

SHIPPED = "/opt/kylink/lib/python3*/site-packages/kylink_cli/scheduling/unit_files"
PAGE = "/var/cache/kylink-report/index.html"


def test_the_timer_s_service_writes_the_page_for_a_web_server(server: Server) -> None:
    machine = server.machine
    server.kylink("campaigns", "add", "1", "--user", "u", "--name", "Outdoor shoes")
    machine.shell(f"install -m 644 {SHIPPED}/kylink-report.* /etc/systemd/system/; systemctl daemon-reload")
    try:
        machine.run("systemctl", "start", "kylink-report.timer", "kylink-report.service")
        assert server.is_clean("kylink-report.service")
        assert machine.property("kylink-report.timer", "ActiveState") == "active"
        page = machine.run("runuser", "-u", "nobody", "--", "cat", PAGE).stdout
        assert "<h1>kylink report</h1>" in page
        assert "Outdoor shoes" in page
        assert machine.shell(f"stat -c '%a %U' {PAGE} /var/lib/kylink") == "644 kylink\n700 kylink\n"
    finally:
        machine.shell(
            "systemctl disable --now --quiet kylink-report.timer; systemctl clean kylink-report.service; "
            "rm -f /etc/systemd/system/kylink-report.*; systemctl daemon-reload"
        )
