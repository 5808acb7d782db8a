/** Renders templates with Go. */
import { execFileSync } from 'node:child_process';

/** The result of each template; undefined for one that Go rejects. */
export function resultsOfGo(templates: readonly string[], values: Record<string, string>): (string | undefined)[] {
  const out = execFileSync('go', ['run', 'main.go'], {
    cwd: import.meta.dirname,
    input: JSON.stringify({ values, templates }),
    encoding: 'utf8',
    maxBuffer: 1024 ** 3,
  });
  const lines = out.trimEnd().split('\n');
  return lines.map(line => {
    const result = JSON.parse(line) as string | null;
    return result === null ? undefined : Buffer.from(result, 'base64').toString('utf8');
  });
}
