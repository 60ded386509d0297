#!/usr/bin/env node
import { processIo } from "./io.js";
import { doMain } from "./verbs.js";

process.exit(await doMain(process.argv.slice(2), processIo()));
