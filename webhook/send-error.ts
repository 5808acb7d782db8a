import type { Response } from 'express';

/** Sends an error that is no review. Only the message is sent, never a stack trace. */
export const sendError = (response: Response, code: number, error: string): void =>
  void response.status(code).json({ error });
