# gunicorn.conf.py - a worker that keeps idle connections.
# SPDX-License-Identifier: GPL-2.0-or-later
bind = "0.0.0.0:84"
worker_class = "gthread"
workers = 1
threads = 2
keepalive = 2
