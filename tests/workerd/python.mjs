// A Python with PyJWT and requests, for what their users will do. Made once, in the user's cache folder, by pip.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const FOLDER = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "edgeward", "python-clients");

/** The interpreter, or undefined where it cannot be had. */
export function python() {
  if (works("python3")) return "python3";
  const interpreter = join(FOLDER, "bin", "python3");
  if (!existsSync(interpreter)) make();
  return works(interpreter) ? interpreter : undefined;
}

function works(interpreter) {
  try {
    execFileSync(interpreter, ["-c", "import jwt, requests; assert jwt.encode"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function make() {
  try {
    mkdirSync(FOLDER, { recursive: true });
    execFileSync("python3", ["-m", "venv", FOLDER], { stdio: "ignore", timeout: 60_000 });
    execFileSync(join(FOLDER, "bin", "pip"), ["install", "--quiet", "PyJWT", "requests"], {
      stdio: "ignore",
      timeout: 60_000,
    });
  } catch {
    // works() tells.
  }
}
