#!/usr/bin/env node
// A stand-in for the window's program that says its process id and stays.
import { renameSync, writeFileSync } from 'node:fs';

writeFileSync('waits.new', String(process.pid));
renameSync('waits.new', 'waits');
setInterval(() => {}, 1_000);
