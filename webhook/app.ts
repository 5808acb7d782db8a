/** The HTTP side of the webhook; it listens nowhere by itself. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import type { Health } from '../program/health.js';
import type { Log } from '../program/log.js';
import { type Admission, mutate, validate } from './admit.js';
import type { Seen } from './metrics.js';
import { AdmissionReview, type AdmissionRequest } from './review.js';

/** The API server takes objects of up to 3 MB; a review of an update holds two, but ours are small. */
const BODY_LIMIT = '3mb';

export interface AppOptions {
  health: Health;
  log: Log;
  onSeen?: (seen: Seen) => void;
}

const ADMISSIONS: Readonly<Record<Seen['webhook'], Admission>> = { mutate, validate };

const refuse = (response: Response, code: number, error: string) => void response.status(code).json({ error });

/** One sentence on what is wrong with a body that is no review. */
function complaint(faults: readonly { path: readonly PropertyKey[]; message: string }[]): string {
  const list = faults.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
  return `expected an AdmissionReview of admission.k8s.io/v1: ${list}`;
}

const onlyJson: RequestHandler = (request, response, next) => {
  if (request.is('application/json')) return next();
  const sent = request.headers['content-type'] ?? 'none';
  return refuse(response, 415, `expected content type application/json, got ${sent}`);
};

/** The webhook's own faults must not look like the user's: they are answered with 500 and told to the log. */
function answering(webhook: Seen['webhook'], { log, onSeen }: AppOptions): RequestHandler {
  return (request, response) => {
    const begun = performance.now();
    const parsed = AdmissionReview.safeParse(request.body);
    if (!parsed.success) return refuse(response, 400, complaint(parsed.error.issues));
    const asked = parsed.data.request;
    const tell = (verdict: Seen['verdict']) =>
      onSeen?.({ webhook, kind: asked.kind.kind, verdict, seconds: (performance.now() - begun) / 1000 });
    try {
      const answer = ADMISSIONS[webhook](asked);
      tell(answer.response.allowed ? 'allowed' : 'denied');
      const { status } = answer.response;
      /* Fields alone: a refused command may hold what belongs in no log. */
      if (status) log.info({ ...aboutOf(asked), fields: status.details.causes.map(({ field }) => field) }, 'denied');
      return void response.json(answer);
    } catch (error) {
      tell('failed');
      log.error({ ...aboutOf(asked), err: error }, 'no verdict');
      return refuse(response, 500, 'the webhook failed to judge this object; its log tells more');
    }
  };
}

const aboutOf = ({ uid, kind, namespace, name, operation }: AdmissionRequest) => ({
  request: uid,
  operation,
  object: `${kind.kind} ${namespace ?? ''}/${name ?? ''}`,
});

const SAID: Readonly<Record<string, string>> = {
  'entity.parse.failed': 'the body is not JSON',
  'entity.too.large': `the body is larger than ${BODY_LIMIT}`,
  'encoding.unsupported': 'the content encoding is not supported',
  'charset.unsupported': 'the charset is not supported',
};

/** What express found wrong with a request before any handler saw it; nothing of its errors goes out. */
const unreadable =
  (log: Log): ErrorRequestHandler =>
  (error: { type?: unknown; status?: unknown }, _request, response, _next) => {
    const code = typeof error.status === 'number' && error.status < 500 ? error.status : 500;
    if (code === 500) log.error({ err: error }, 'request failed');
    const said = code === 500 ? 'the webhook failed' : 'the request is not understood';
    refuse(response, code, SAID[String(error.type)] ?? said);
  };

async function tellHealth(health: Health, path: string, response: Response): Promise<void> {
  try {
    const { code, type, body } = await health.answer(path);
    response
      .status(code)
      .set('content-type', type ?? 'text/plain; charset=utf-8')
      .send(body);
  } catch {
    refuse(response, 500, 'failed');
  }
}

/** The app, ready for a server or for a test. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const readJson = express.json({ limit: BODY_LIMIT, type: 'application/json' });
  for (const webhook of ['mutate', 'validate'] as const) {
    app.post(`/${webhook}`, onlyJson, readJson, answering(webhook, options));
    app.all(`/${webhook}`, (_request, response) =>
      refuse(response.set('allow', 'POST'), 405, 'only POST is answered here'),
    );
  }
  app.get(
    ['/healthz', '/readyz', '/metrics'],
    (request, response) => void tellHealth(options.health, request.path, response),
  );
  app.use((request, response) => refuse(response, 404, `there is nothing at ${request.path}`));
  app.use(unreadable(options.log));
  return app;
}
