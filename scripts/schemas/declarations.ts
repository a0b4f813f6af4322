/**
 * Reads the declarations of `kubernetes-models` into plain definitions. The declarations say which
 * properties there are, which are required and what each refers to. TypeScript has one type for all
 * numbers and one for all strings, so the package's compiled validators are asked for the rest: they are
 * given a value that is wrong in every way and answer with the type and format they had expected.
 */
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

/** A type as declared; `ref` names another definition. */
export type Declared =
  | { is: 'string'; format?: string; enum?: string[] }
  | { is: 'integer' | 'number'; format?: string }
  | { is: 'boolean' | 'quantity' | 'intOrString' | 'time' | 'microTime' | 'any' }
  | { is: 'array'; items: Declared }
  | { is: 'map'; values: Declared }
  | {
      is: 'object';
      properties: Record<string, Declared>;
      required: string[];
      /** What is written about the properties, by name. */
      descriptions: Record<string, string>;
    }
  | { is: 'ref'; name: string };

export interface Definition {
  /** `apps/v1.Deployment`, `v1.PodSpec`, `meta/v1.ObjectMeta`. */
  id: string;
  type: Declared;
  /** '' when nothing is written about it. */
  description: string;
}

/** Types that are not what their declaration looks like. */
const special: Record<string, Declared> = {
  'api/resource.Quantity': { is: 'quantity' },
  'util/intstr.IntOrString': { is: 'intOrString' },
  'meta/v1.Time': { is: 'time' },
  'meta/v1.MicroTime': { is: 'microTime' },
};

interface Source {
  id: string;
  /** The name other files import it by, without the leading I: `IoK8sApiCoreV1PodSpec`. */
  alias: string;
  /** Where the compiled validator is. */
  validator: string;
  declaration: ts.InterfaceDeclaration | null;
  description: string;
}

const idOf = (path: string): string => {
  const parts = path
    .replace(/^apis\//, '')
    .replace(/\.d\.ts$/, '')
    .split('/');
  const name = parts.pop();
  return `${parts.join('/')}.${name}`;
};

/** The comment before a node, without its stars; '' when there is none. */
function commentOn(node: ts.Node, text: string): string {
  const range = ts.getLeadingCommentRanges(text, node.pos)?.at(-1);
  if (!range) return '';
  return text
    .slice(range.pos + '/**'.length, range.end - '*/'.length)
    .replace(/^[ \t]*\* ?/gm, '')
    .replaceAll('\\*', '*')
    .trim();
}

function readSource(packageRoot: string, path: string): Source | null {
  const file = ts.createSourceFile(path, readFileSync(join(packageRoot, path), 'utf8'), ts.ScriptTarget.Latest, true);
  const declaration = file.statements.find(ts.isInterfaceDeclaration) ?? null;
  const described = declaration ?? file.statements.find(ts.isTypeAliasDeclaration);
  const description = described ? commentOn(described, file.text) : '';
  for (const statement of file.statements) {
    if (!ts.isExportDeclaration(statement) || !statement.exportClause || !ts.isNamedExports(statement.exportClause)) {
      continue;
    }
    for (const element of statement.exportClause.elements) {
      if (!element.name.text.startsWith('IIoK8s')) continue;
      const alias = element.name.text.slice(1);
      return {
        id: idOf(path),
        alias,
        validator: join(packageRoot, '_schemas', `${alias}.js`),
        declaration,
        description,
      };
    }
  }
  return null;
}

const textOf = (name: ts.Node): string => {
  if (ts.isIdentifier(name) || ts.isStringLiteral(name)) return name.text;
  throw new Error(`unexpected property name of kind ${ts.SyntaxKind[name.kind]}`);
};

/** Turns syntax into Declared; `refs` maps imported aliases and the file's own interface to ids. */
class TypeReader {
  readonly #refs: ReadonlyMap<string, string>;
  readonly #self: { name: string; id: string };

  constructor(refs: ReadonlyMap<string, string>, self: { name: string; id: string }) {
    this.#refs = refs;
    this.#self = self;
  }

  object(members: ts.NodeArray<ts.TypeElement>): Declared {
    const index = members.find(ts.isIndexSignatureDeclaration);
    if (index) return { is: 'map', values: this.type(index.type) };
    const properties: Record<string, Declared> = {};
    const required: string[] = [];
    const descriptions: Record<string, string> = {};
    for (const member of members) {
      if (!ts.isPropertySignature(member) || !member.type) throw new Error(`unexpected member in ${this.#self.id}`);
      const name = textOf(member.name);
      properties[name] = this.type(member.type);
      if (!member.questionToken) required.push(name);
      const description = commentOn(member, member.getSourceFile().text);
      if (description) descriptions[name] = description;
    }
    return members.length === 0 ? { is: 'any' } : { is: 'object', properties, required, descriptions };
  }

  type(node: ts.TypeNode): Declared {
    if (node.kind === ts.SyntaxKind.StringKeyword) return { is: 'string' };
    if (node.kind === ts.SyntaxKind.NumberKeyword) return { is: 'number' };
    if (node.kind === ts.SyntaxKind.BooleanKeyword) return { is: 'boolean' };
    if (ts.isTypeLiteralNode(node)) return this.object(node.members);
    if (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal)) {
      return { is: 'string', enum: [node.literal.text] };
    }
    if (ts.isUnionTypeNode(node)) {
      const members = node.types.map((member) => this.type(member));
      return { is: 'string', enum: members.flatMap((member) => (member.is === 'string' && member.enum) || []) };
    }
    if (ts.isTypeReferenceNode(node)) return this.#reference(node);
    throw new Error(`unexpected type of kind ${ts.SyntaxKind[node.kind]} in ${this.#self.id}`);
  }

  #reference(node: ts.TypeReferenceNode): Declared {
    const name = textOf(node.typeName);
    const [argument] = node.typeArguments ?? [];
    if (name === 'Array' && argument) return { is: 'array', items: this.type(argument) };
    const id = name === this.#self.name ? this.#self.id : this.#refs.get(name);
    if (!id) throw new Error(`unknown type ${name} in ${this.#self.id}`);
    return special[id] ?? { is: 'ref', name: id };
  }
}

interface ValidationError {
  instancePath: string;
  keyword: string;
  params: { type?: string; format?: string };
}
type Validate = ((data: unknown) => boolean) & { errors: ValidationError[] | null };

/** A value of the right shape that no number or string format accepts; undefined where there is nothing to ask. */
function probeOf(type: Declared): unknown {
  if (type.is === 'number') return 2 ** 40 + 0.5;
  if (type.is === 'string' && !type.enum) return '\u0000';
  if (type.is === 'array') return [probeOf(type.items)];
  if (type.is === 'map') return { probe: probeOf(type.values) };
  if (type.is === 'object') {
    return Object.fromEntries(Object.entries(type.properties).map(([name, value]) => [name, probeOf(value)]));
  }
  return undefined;
}

function refine(type: Declared, path: string, errors: readonly ValidationError[]): Declared {
  switch (type.is) {
    case 'number':
    case 'string': {
      const here = errors.filter((error) => error.instancePath === path);
      const format = here.find((error) => error.keyword === 'format')?.params.format;
      const integer = here.some((error) => error.keyword === 'type' && error.params.type === 'integer');
      return { ...type, ...(integer && { is: 'integer' as const }), ...(format && { format }) } as Declared;
    }
    case 'array':
      return { ...type, items: refine(type.items, `${path}/0`, errors) };
    case 'map':
      return { ...type, values: refine(type.values, `${path}/probe`, errors) };
    case 'object': {
      const properties: Record<string, Declared> = {};
      for (const [name, value] of Object.entries(type.properties)) {
        properties[name] = refine(value, `${path}/${name}`, errors);
      }
      return { ...type, properties };
    }
    default:
      return type;
  }
}

async function define(source: Source, refs: ReadonlyMap<string, string>): Promise<Definition> {
  const { id, description } = source;
  const known = special[id];
  if (known || !source.declaration) return { id, description, type: known ?? { is: 'any' } };
  const reader = new TypeReader(refs, { name: source.declaration.name.text, id });
  const type = reader.object(source.declaration.members);
  if (type.is === 'any') return { id, description, type };
  const { validate } = (await import(pathToFileURL(source.validator).href)) as { validate: Validate };
  validate(probeOf(type));
  return { id, description, type: refine(type, '', validate.errors ?? []) };
}

/** All definitions of the two packages, by id. */
export async function readDeclarations(modulesRoot: string): Promise<Map<string, Definition>> {
  const sources: Source[] = [];
  for (const name of ['@kubernetes-models/apimachinery', 'kubernetes-models']) {
    const packageRoot = join(modulesRoot, name);
    for (const file of globSync('**/*.d.ts', { cwd: packageRoot }).sort()) {
      const path = relative('.', file);
      if (path.startsWith('_schemas') || path.endsWith('index.d.ts')) continue;
      const source = readSource(packageRoot, path);
      if (source) sources.push(source);
    }
  }
  const refs = new Map(sources.map((source) => [`I${source.alias}`, source.id]));
  const definitions = new Map<string, Definition>();
  for (const source of sources) definitions.set(source.id, await define(source, refs));
  return definitions;
}
