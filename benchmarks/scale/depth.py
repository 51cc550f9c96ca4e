"""Measure how long fetching the next job takes, by the number of waiting jobs."""

from __future__ import annotations

import time

from django.db import connection

DEPTHS = (1_000, 10_000, 100_000)
TAKEN = 50

FILL = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, queueing_lock, args)
SELECT 'live', 'examine', (n %% 3) * 10, 'examine:' || n, '{}' FROM generate_series(1, %s) n
"""


def fetch_times() -> dict[str, float]:
    """Seconds to fetch one job by procrastinate's own function, by number of waiting jobs."""
    times = {}
    with connection.cursor() as cursor:
        for depth in DEPTHS:
            cursor.execute("DELETE FROM procrastinate_jobs")
            cursor.execute(FILL, [depth])
            cursor.execute("ANALYZE procrastinate_jobs")
            began = time.perf_counter()
            for _ in range(TAKEN):
                cursor.execute("SELECT * FROM procrastinate_fetch_job_v2(NULL, NULL)")
            times[str(depth)] = (time.perf_counter() - began) / TAKEN
        cursor.execute("DELETE FROM procrastinate_jobs")
    return times
