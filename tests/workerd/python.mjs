// A Python with packages of others, for what their users will do. Made once, in the user's cache folder, by pip.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const FOLDER = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "edgeward", "python-clients");
const CLIENTS = { uses: "import jwt, requests; assert jwt.encode", packages: ["PyJWT", "requests"] };
/** Akamai's own signer. */
export const EDGEAUTH = { uses: "from akamai.edgeauth import EdgeAuth", packages: ["akamai-edgeauth==0.3.2"] };

/** The interpreter with these packages (PyJWT and requests), or undefined where it cannot be had. */
export function python({ uses, packages } = CLIENTS) {
  if (works("python3", uses)) return "python3";
  const interpreter = join(FOLDER, "bin", "python3");
  if (!works(interpreter, uses)) make(interpreter, packages);
  return works(interpreter, uses) ? interpreter : undefined;
}

function works(interpreter, uses) {
  try {
    execFileSync(interpreter, ["-c", uses], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function make(interpreter, packages) {
  try {
    mkdirSync(FOLDER, { recursive: true });
    if (!existsSync(interpreter)) execFileSync("python3", ["-m", "venv", FOLDER], { stdio: "ignore", timeout: 60_000 });
    execFileSync(join(FOLDER, "bin", "pip"), ["install", "--quiet", ...packages], { stdio: "ignore", timeout: 60_000 });
  } catch {
    // works() tells.
  }
}
