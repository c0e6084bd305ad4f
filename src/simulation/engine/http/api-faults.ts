import type { ServerResponse } from 'node:http';
import { engineFaults } from '../core/faults';
import { ApiError, badRequest } from './api-error';
import type { Served } from './generation';
import type { Body } from './request-fields';
import { sendJson } from './respond';

/** `GET /simulation/faults`. */
export function currentFaults({ engine }: Served, response: ServerResponse): void {
  sendJson(response, 200, engine.faults);
}

/** `POST /simulation/faults`: the faults that are named change, the others stay; answers with all. */
export function setFaults({ engine }: Served, body: Body, response: ServerResponse): void {
  try {
    engine.faults = engineFaults(body, engine.faults);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
  sendJson(response, 200, engine.faults);
}

/** Throws for the share of the requests that is to fail. */
export function injectedError({ engine, chance }: Served): void {
  const { errorRatio, errorStatus } = engine.faults;
  if (errorRatio > 0 && chance() < errorRatio) throw new ApiError(errorStatus, 'InternalServerError', 'an injected fault');
}
