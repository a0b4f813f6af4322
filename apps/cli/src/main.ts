import { Command, Option } from 'commander';
import { down } from './down.ts';
import { importImages } from './image-import.ts';
import { status } from './status.ts';
import { parsePorts, up } from './up.ts';

const DEFAULT_NAME = 'default';

const program = new Command('periplus')
  .description('A Kubernetes cluster on this machine that keeps its log.')
  .version('0.1.0')
  .showHelpAfterError('(periplus --help shows all commands)')
  .addHelpText(
    'after',
    `
State lives in $PERIPLUS_HOME (default ~/.periplus), a folder per cluster, with its kubeconfig in it.

Examples:
  periplus up                        a cluster with one node that runs real containers
  periplus up --simulate 3           three simulated nodes: needs neither root nor containerd
  periplus up --detach --name two    another cluster beside it, in the background
  export KUBECONFIG=~/.periplus/default/kubeconfig && kubectl get nodes`,
  );

const named = (command: Command): Command => command.option('-n, --name <name>', 'which cluster', DEFAULT_NAME);

named(program.command('up'))
  .description('Bring the cluster up and stay with it; Ctrl-C takes it down. Its data stays for the next up.')
  .option('-d, --detach', 'leave it running in the background once it is ready')
  .option('--simulate <nodes>', 'simulate that many nodes instead of running containers (1 to 5000; new clusters only)')
  .option('--port <name=number...>', 'choose a port: apiServer, grpc, etcdClient, ... (new clusters only)', parsePorts)
  .option('--json', 'print what happens as JSON, a line an event')
  // What --detach starts in the background.
  .addOption(new Option('--supervise').hideHelp())
  .action(up);

named(program.command('down'))
  .description('Take the cluster down, its containers included.')
  .option('--delete', 'delete its data too: everything in its folder')
  .action(down);

named(program.command('status'))
  .description('Show the processes, nodes and pods of a cluster.')
  .option('--json', 'print it as JSON')
  .action(status);

named(program.command('image').description('Images of the node.').command('import'))
  .argument('<archive...>', 'OCI or Docker archives (.tar)')
  .description('Load images into the node, for machines without a registry.')
  .action(importImages);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`periplus: ${(error as Error).message}\n`);
  process.exit(1);
}
