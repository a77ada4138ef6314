// Runs a command of a package in an empty folder, with a home of its own, and without what this machine has configured.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SECONDS = 120;

/** The output of a command whose home has some files, by their names; `exitCode` is what it exits with. */
export function command(name, files = {}) {
  const path = fileURLToPath(new URL(`node_modules/.bin/${name}`, import.meta.url));
  return async (args, environment) => {
    const folder = mkdtempSync(join(tmpdir(), `${name}-`));
    try {
      for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
      return await execute(path, args, folder, { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, ...environment(folder) });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

function execute(path, args, cwd, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: SECONDS * 1000 });
    let stdout = "", stderr = "";
    child.stdout.on("data", (piece) => (stdout += piece));
    child.stderr.on("data", (piece) => (stderr += piece));
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

/** The JSON objects that a command has written, one a line. */
export function lines({ stdout }) {
  return stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}
