/** Asks Go itself. */
import { execFileSync } from 'node:child_process';

/** What Go makes of each template; undefined for one that it refuses. */
export function answersOfGo(templates: readonly string[], values: Record<string, string>): (string | undefined)[] {
  const out = execFileSync('go', ['run', 'main.go'], {
    cwd: import.meta.dirname,
    input: JSON.stringify({ values, templates }),
    encoding: 'utf8',
    maxBuffer: 1024 ** 3,
  });
  const lines = out.trimEnd().split('\n');
  return lines.map(line => {
    const answer = JSON.parse(line) as string | null;
    return answer === null ? undefined : Buffer.from(answer, 'base64').toString('utf8');
  });
}
