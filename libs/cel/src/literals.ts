import type { ASTNode, Environment } from '@marcbachmann/cel-js';
import { CompileError } from './compile-error.ts';
import { partsOf } from './nodes.ts';
import { patternSize } from './pattern-size.ts';
import { compilePattern } from './regular-expressions.ts';

const isText = (node: ASTNode | undefined): node is ASTNode & { op: 'value'; args: string } =>
  node?.op === 'value' && typeof node.args === 'string';

const WITH_PATTERNS = ['find', 'findAll', 'matches'];

/** Of all patterns that an expression names, repetitions written out. */
export function patternSizes(node: ASTNode): number {
  const pattern = node.op === 'rcall' && WITH_PATTERNS.includes(node.args[0]) ? node.args[2][0] : undefined;
  const own = isText(pattern) ? patternSize(pattern.args) : 0;
  return partsOf(node).reduce((sum, part) => sum + patternSizes(part), own);
}

/** The texts in an expression that are wrong wherever it is evaluated: patterns, durations and times. */
export function checkLiterals(environment: Environment, node: ASTNode): void {
  const refuse = (what: string, at: ASTNode): never => {
    throw CompileError.at(`invalid ${what} argument`, at.input, at.start);
  };
  if (node.op === 'rcall' && node.args[0] === 'matches') {
    const [pattern] = node.args[2];
    if (!isText(pattern)) return;
    try {
      compilePattern(pattern.args);
    } catch {
      refuse('matches', pattern);
    }
  }
  if (node.op === 'call' && (node.args[0] === 'duration' || node.args[0] === 'timestamp')) {
    const [text] = node.args[1];
    if (!isText(text)) return;
    try {
      environment.evaluate(node.input.slice(node.start, node.end));
    } catch {
      refuse(node.args[0], text);
    }
  }
}
