import { CompileError, compileDeviceSelector, type DeviceSelector, EvaluationError } from '@periplus/api';
import type { Device } from './resource-types.ts';

/** Expressions that are kept compiled; those unused for longest go. */
const EXPRESSIONS_MAX = 256;

/** Whether it is selected; an Error says why that can't be told. */
type Answer = boolean | CompileError | EvaluationError;

function compiled(expression: string): DeviceSelector | CompileError {
  try {
    return compileDeviceSelector(expression);
  } catch (error) {
    if (error instanceof CompileError) return error;
    throw error;
  }
}

class Selector {
  private readonly select: DeviceSelector | CompileError;
  /** A device that is published anew is another one. */
  private readonly answers = new WeakMap<Device, Answer>();

  constructor(expression: string) {
    this.select = compiled(expression);
  }

  answer(driver: string, device: Device): Answer {
    const { select, answers } = this;
    if (select instanceof CompileError) return select;
    const known = answers.get(device);
    if (known !== undefined) return known;
    const answer = this.evaluate(select, driver, device);
    answers.set(device, answer);
    return answer;
  }

  private evaluate(select: DeviceSelector, driver: string, device: Device): Answer {
    try {
      return select(driver, device);
    } catch (error) {
      if (error instanceof EvaluationError) return error;
      throw error;
    }
  }
}

/** Which devices expressions select, each worked out once. */
export class DeviceSelectors {
  private readonly selectors = new Map<string, Selector>();

  answer(expression: string, driver: string, device: Device): Answer {
    const { selectors } = this;
    const selector = selectors.get(expression) ?? new Selector(expression);
    selectors.delete(expression);
    selectors.set(expression, selector);
    if (selectors.size > EXPRESSIONS_MAX) selectors.delete(selectors.keys().next().value!);
    return selector.answer(driver, device);
  }
}
