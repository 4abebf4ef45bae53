#!/usr/bin/env python3
"""Runs the store's drivers: run.py [--pooler] [name …]. With --pooler the services' connections go through PgBouncer in
transaction mode, and every driver runs just the same."""

import importlib
import pathlib
import signal
import sys

import cluster
import suite

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the cluster goes when we are sent away
names = [a for a in sys.argv[1:] if not a.startswith("-")]
if "--pooler" in sys.argv:
    cluster.use_pooler()
here = pathlib.Path(__file__).resolve().parent
found = sorted(p.stem for p in here.glob("t_*.py"))
chosen = [f for f in found if not names or f[2:] in names]
modules = []
for name in chosen:
    modules.append(importlib.import_module(name))
sys.exit(0 if chosen and suite.run(modules) else 1)
