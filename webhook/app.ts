/** The HTTP side of the webhook; it listens nowhere by itself. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import type { Health } from '../program/health.js';
import type { Log } from '../program/log.js';
import { isReviewedKind, mutate, validate } from './admit.js';
import { parserErrorResponse, requestParser, refuse } from './request-parser.js';
import type { ReviewRecord } from './metrics.js';
import { AdmissionReview, type AdmissionRequest, type ReviewAnswer } from './review.js';

export interface AppOptions {
  health: Health;
  log: Log;
  onReview?: (seen: ReviewRecord) => void;
  /** What the cluster has to say of a wish that is allowed; must answer soon whatever happens. */
  reach?: (request: AdmissionRequest) => Promise<readonly string[]>;
}

/** Of many faults of a body the first tell enough. */
const MOST_COMPLAINTS = 8;

/** One sentence on what is wrong with a body that is no review. */
function complaint(faults: readonly { path: readonly PropertyKey[]; message: string }[]): string {
  const told = faults.slice(0, MOST_COMPLAINTS);
  const list = told.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
  return `expected an AdmissionReview of admission.k8s.io/v1: ${list}`;
}

async function judge(
  webhook: ReviewRecord['webhook'],
  asked: AdmissionRequest,
  { reach }: AppOptions,
): Promise<ReviewAnswer> {
  if (webhook === 'mutate') return mutate(asked);
  const verdict = validate(asked);
  const more = verdict.response.allowed ? await reach?.(asked) : undefined;
  return more && more.length > 0 ? validate(asked, more) : verdict;
}

/** Kinds come from outside and each makes a row of its own for ever: those that are not ours share one. */
const kindOf = ({ kind }: AdmissionRequest) => (isReviewedKind(kind) ? kind.kind : 'other');

/** The webhook's own faults must not look like the user's: they are answered with 500 and told to the log. */
function answering(webhook: ReviewRecord['webhook'], options: AppOptions): RequestHandler {
  const { log, onReview } = options;
  return async (request, response) => {
    const begun = performance.now();
    const parsed = AdmissionReview.safeParse(request.body);
    if (!parsed.success) return refuse(response, 400, complaint(parsed.error.issues));
    const asked = parsed.data.request;
    const tell = (verdict: ReviewRecord['verdict']) =>
      onReview?.({ webhook, kind: kindOf(asked), verdict, seconds: (performance.now() - begun) / 1000 });
    try {
      const answer = await judge(webhook, asked, options);
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

const unreadable =
  (log: Log): ErrorRequestHandler =>
  (error: { type?: unknown; status?: unknown; message?: unknown }, _request, response, _next) => {
    const [code, sentence] = parserErrorResponse(error);
    if (code === 500) log.error({ err: error }, 'request failed');
    refuse(response, code, sentence);
  };

async function tellHealth(health: Health, path: string, response: Response): Promise<void> {
  try {
    const { code, type, body } = await health.respond(path);
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
  const handlers = requestParser();
  for (const webhook of ['mutate', 'validate'] as const) {
    app.post(`/${webhook}`, handlers, answering(webhook, options));
    app.all(`/${webhook}`, (_request, response) =>
      refuse(response.set('allow', 'POST'), 405, 'only POST is answered here'),
    );
  }
  app.get(
    ['/healthz', '/readyz', '/metrics'],
    (request, response) => void tellHealth(options.health, request.path, response),
  );
  app.use((request, response) => refuse(response, 404, `there is nothing at ${request.path.slice(0, 200)}`));
  app.use(unreadable(options.log));
  return app;
}
