/** The HTTP interface of the webhook: reviews, health and metrics. It does not listen by itself. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import { cut, cutName } from '../api/cut.js';
import type { Health } from '../program/health.js';
import type { Log } from '../program/log.js';
import { type ClusterWarnings, isReviewedKind, mutate, validateInCluster } from './admit.js';
import type { ReviewRecord } from './metrics.js';
import { parserErrorResponse, requestParser } from './request-parser.js';
import { AdmissionReview, type AdmissionRequest, type ReviewAnswer } from './review.js';
import { sendError } from './send-error.js';

export interface AppOptions {
  health: Health;
  log: Log;
  /** Called after each review, for metrics. */
  onReview?: (record: ReviewRecord) => void;
  clusterWarnings?: ClusterWarnings;
}

/** How many schema errors of an invalid AdmissionReview are reported. */
const MAX_SCHEMA_ERRORS = 8;

/** The error message for a body that is not an AdmissionReview. */
function schemaErrorText(issues: readonly { path: readonly PropertyKey[]; message: string }[]): string {
  const reported = issues.slice(0, MAX_SCHEMA_ERRORS);
  const list = reported.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
  return cut(`expected an AdmissionReview of admission.k8s.io/v1: ${list}`);
}

const review = async (
  webhook: ReviewRecord['webhook'],
  request: AdmissionRequest,
  { clusterWarnings = async () => [] }: AppOptions,
): Promise<ReviewAnswer> => (webhook === 'mutate' ? mutate(request) : validateInCluster(request, clusterWarnings));

/** Every kind is a metrics series of its own, and requests may name any kind: kinds that are not reviewed share one series. */
const kindLabel = ({ kind }: AdmissionRequest) => (isReviewedKind(kind) ? kind.kind : 'other');

/** Errors of the webhook itself must not look like errors of the user: they are logged and answered with code 500. */
function reviewHandler(webhook: ReviewRecord['webhook'], options: AppOptions): RequestHandler {
  const { log, onReview } = options;
  return async (incoming, response) => {
    const start = performance.now();
    const parsed = AdmissionReview.safeParse(incoming.body);
    /* The parsed body may take forty megabytes, and a response may wait for the API server. */
    incoming.body = undefined;
    if (!parsed.success) return sendError(response, 400, schemaErrorText(parsed.error.issues));
    const { request } = parsed.data;
    const record = (verdict: ReviewRecord['verdict']) =>
      onReview?.({ webhook, kind: kindLabel(request), verdict, seconds: (performance.now() - start) / 1000 });
    try {
      const answer = await review(webhook, request, options);
      record(answer.response.allowed ? 'allowed' : 'denied');
      const { status } = answer.response;
      /* Only field paths are logged: a rejected command may contain secrets. */
      if (status)
        log.info({ ...logFields(request), fields: status.details.causes.map(({ field }) => field) }, 'denied');
      return void response.json(answer);
    } catch (error) {
      record('failed');
      log.error({ ...logFields(request), err: error }, 'review failed');
      return sendError(response, 500, 'the webhook failed to review this object; see its log');
    }
  };
}

const logFields = ({ uid, kind, namespace, name, operation }: AdmissionRequest) => ({
  request: uid,
  operation,
  object: [kind.kind, `${cutName(namespace ?? '')}/${cutName(name ?? '')}`].map(cutName).join(' '),
});

const parserErrorHandler =
  (log: Log): ErrorRequestHandler =>
  (error: { type?: unknown; status?: unknown; message?: unknown }, _request, response, _next) => {
    const [code, message] = parserErrorResponse(error);
    if (code === 500) log.error({ err: error }, 'request failed');
    sendError(response, code, message);
  };

async function sendHealth(health: Health, path: string, response: Response): Promise<void> {
  try {
    const { code, type, body } = await health.respond(path);
    response
      .status(code)
      .set('content-type', type ?? 'text/plain; charset=utf-8')
      .send(body);
  } catch {
    sendError(response, 500, 'failed');
  }
}

/** Creates the express app with all routes, for a server or a test. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const parser = requestParser();
  for (const webhook of ['mutate', 'validate'] as const) {
    app.post(`/${webhook}`, parser, reviewHandler(webhook, options));
    app.all(`/${webhook}`, (_request, response) =>
      sendError(response.set('allow', 'POST'), 405, 'only POST is allowed here'),
    );
  }
  app.get(
    ['/healthz', '/readyz', '/metrics'],
    (request, response) => void sendHealth(options.health, request.path, response),
  );
  app.use((request, response) => sendError(response, 404, `not found: ${request.path.slice(0, 200)}`));
  app.use(parserErrorHandler(options.log));
  return app;
}
