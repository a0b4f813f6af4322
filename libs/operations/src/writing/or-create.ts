import { isAlreadyExists, isNotFound } from '@periplus/apimachinery';
import type { ObjectResult } from '../types.ts';

/** As often it is tried again when somebody else creates or removes the object meanwhile. */
const ATTEMPTS_MAX = 5;

/** Runs `change`; where there is no object yet, `create`. */
export async function orCreate(
  change: () => Promise<ObjectResult>,
  create: () => Promise<ObjectResult>,
): Promise<ObjectResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change();
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    try {
      return await create();
    } catch (error) {
      if (!isAlreadyExists(error) || attempt >= ATTEMPTS_MAX) throw error;
    }
  }
}
