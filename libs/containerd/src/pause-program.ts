/**
 * The process that holds a pod's namespaces, as machine code: it blocks all signals and waits for them, ends on
 * SIGINT and SIGTERM, and on SIGCHLD reaps what was left to it as process 1 of a shared process namespace.
 * Some hundred bytes, so that no compiler and no registry is needed, and a pod costs a page of memory.
 */
const LOAD_ADDRESS = 0x400000n;
const FILE_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;

// Each line is one instruction. Registers of Linux system calls: rax, rdi, rsi, rdx, r10.
const AMD64 = [
  '6a ff', //                push -1                 rsp: the set of all signals
  '31 ff', //                xor edi, edi            SIG_BLOCK
  '48 89 e6', //             mov rsi, rsp
  '31 d2', //                xor edx, edx
  '41 ba 08 00 00 00', //    mov r10d, 8             bytes of a signal set
  'b8 0e 00 00 00', //       mov eax, 14             rt_sigprocmask
  '0f 05', //                syscall
  '48 89 e7', //       wait: mov rdi, rsp
  '31 f6', //                xor esi, esi
  '31 d2', //                xor edx, edx
  '41 ba 08 00 00 00', //    mov r10d, 8
  'b8 80 00 00 00', //       mov eax, 128            rt_sigtimedwait
  '0f 05', //                syscall
  '83 f8 02', //             cmp eax, SIGINT
  '74 28', //                je exit
  '83 f8 0f', //             cmp eax, SIGTERM
  '74 23', //                je exit
  '83 f8 11', //             cmp eax, SIGCHLD
  '75 dd', //                jne wait
  '48 c7 c7 ff ff ff ff', // reap: mov rdi, -1       any child
  '31 f6', //                xor esi, esi
  'ba 01 00 00 00', //       mov edx, WNOHANG
  '45 31 d2', //             xor r10d, r10d
  'b8 3d 00 00 00', //       mov eax, 61             wait4
  '0f 05', //                syscall
  '85 c0', //                test eax, eax
  '7f e4', //                jg reap
  'eb bf', //                jmp wait
  '31 ff', //          exit: xor edi, edi
  'b8 3c 00 00 00', //       mov eax, 60             exit
  '0f 05', //                syscall
].join(' ');

// Words as in the manual, stored little-endian below. Registers of system calls: x8, x0, x1, x2, x3.
const ARM64_WORDS = [
  0x92800000, //       mov x0, #-1
  0xf81f0fe0, //       str x0, [sp, #-16]!            sp: the set of all signals
  0xd2800000, //       mov x0, #0                     SIG_BLOCK
  0x910003e1, //       mov x1, sp
  0xd2800002, //       mov x2, #0
  0xd2800103, //       mov x3, #8
  0xd28010e8, //       mov x8, #135                   rt_sigprocmask
  0xd4000001, //       svc #0
  0x910003e0, // wait: mov x0, sp
  0xd2800001, //       mov x1, #0
  0xd2800002, //       mov x2, #0
  0xd2800103, //       mov x3, #8
  0xd2801128, //       mov x8, #137                   rt_sigtimedwait
  0xd4000001, //       svc #0
  0xf100081f, //       cmp x0, #2                     SIGINT
  0x540001c0, //       b.eq exit
  0xf1003c1f, //       cmp x0, #15                    SIGTERM
  0x54000180, //       b.eq exit
  0xf100441f, //       cmp x0, #17                    SIGCHLD
  0x54fffea1, //       b.ne wait
  0x92800000, // reap: mov x0, #-1                    any child
  0xd2800001, //       mov x1, #0
  0xd2800022, //       mov x2, #1                     WNOHANG
  0xd2800003, //       mov x3, #0
  0xd2802088, //       mov x8, #260                   wait4
  0xd4000001, //       svc #0
  0xf100001f, //       cmp x0, #0
  0x54ffff2c, //       b.gt reap
  0x17ffffec, //       b wait
  0xd2800000, // exit: mov x0, #0
  0xd2800ba8, //       mov x8, #93                    exit
  0xd4000001, //       svc #0
];

const MACHINE = { amd64: 0x3e, arm64: 0xb7 } as const;

function codeOf(architecture: keyof typeof MACHINE): Buffer {
  if (architecture === 'amd64') return Buffer.from(AMD64.replaceAll(' ', ''), 'hex');
  const code = Buffer.alloc(ARM64_WORDS.length * 4);
  for (const [i, word] of ARM64_WORDS.entries()) code.writeUInt32LE(word, i * 4);
  return code;
}

/** A static ELF executable of the program, for amd64 or arm64. */
export function pauseProgram(architecture: keyof typeof MACHINE): Buffer {
  const code = codeOf(architecture);
  const start = FILE_HEADER_BYTES + PROGRAM_HEADER_BYTES;
  const elf = Buffer.alloc(start);
  elf.write('\x7fELF', 0, 'latin1');
  elf.set([2, 1, 1], 4); // 64 bits, little-endian, version 1
  elf.writeUInt16LE(2, 16); // executable
  elf.writeUInt16LE(MACHINE[architecture], 18);
  elf.writeUInt32LE(1, 20); // version
  elf.writeBigUInt64LE(LOAD_ADDRESS + BigInt(start), 24); // entry
  elf.writeBigUInt64LE(BigInt(FILE_HEADER_BYTES), 32); // program headers start here
  elf.writeUInt16LE(FILE_HEADER_BYTES, 52);
  elf.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  elf.writeUInt16LE(1, 56); // one program header

  const header = elf.subarray(FILE_HEADER_BYTES);
  const bytes = BigInt(start + code.length);
  header.writeUInt32LE(1, 0); // to be loaded
  header.writeUInt32LE(5, 4); // readable and executable
  header.writeBigUInt64LE(0n, 8); // from the start of the file
  header.writeBigUInt64LE(LOAD_ADDRESS, 16);
  header.writeBigUInt64LE(LOAD_ADDRESS, 24);
  header.writeBigUInt64LE(bytes, 32);
  header.writeBigUInt64LE(bytes, 40);
  header.writeBigUInt64LE(0x10000n, 48); // arm64 kernels may have pages of 64 KiB
  return Buffer.concat([elf, code]);
}
