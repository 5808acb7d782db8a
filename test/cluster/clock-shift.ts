/**
 * Makes the wall clock of one machine differ from that of the others. A time namespace cannot do that, and a preloaded library does not reach
 * Go programs, so the code of the vDSO is patched, through which C libraries, Go and Node.js alike read the clock, in each process of the machine
 * soon after it starts. Monotonic clocks and uptime stay as they are, as on a machine whose clock was never set.
 *
 * Limits: the first milliseconds of a process have the real time; time stamps of files and of the kernel log are real; x86-64 only.
 */
import { closeSync, openSync, readFileSync, readlinkSync, readSync, writeSync } from 'node:fs';
import { processesIn } from './cgroups.js';
import { startTimeOf } from './process-record.js';

const EVERY_MS = 20;
/** Free space between the stubs. */
const STUB_BYTES = 64;
const DYNAMIC_SYMBOLS = 11;
const SECTION = { size: 64, type: 4, offset: 24, length: 32, link: 40 };
const SYMBOL = { size: 24, value: 8 };

type Stub = (seconds: Buffer) => Buffer;
const code = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** Each makes the system call that the function stands for and adds the shift to the seconds of the result. */
const STUBS: Record<string, Stub> = {
  // mov eax,228; syscall; test eax,eax; jne ret; test edi,edi (CLOCK_REALTIME); jne ret; add qword [rsi],seconds; ret
  __vdso_clock_gettime: seconds =>
    Buffer.concat([code('b8e4000000 0f05 85c0 750b 85ff 7507 488106'), seconds, code('c3')]),
  // mov eax,96; syscall; test rdi,rdi; je ret; add qword [rdi],seconds; ret
  __vdso_gettimeofday: seconds => Buffer.concat([code('b860000000 0f05 4885ff 7407 488107'), seconds, code('c3')]),
  // mov eax,201; syscall; add rax,seconds; test rdi,rdi; je ret; mov [rdi],rax; ret
  __vdso_time: seconds => Buffer.concat([code('b8c9000000 0f05 4805'), seconds, code('4885ff 7403 488907 c3')]),
};

export class ClockShift {
  private readonly seconds = Buffer.alloc(4);
  private readonly timer: NodeJS.Timeout;
  private patched = new Set<string>();

  /** The clock of the machine with this control group is that many seconds ahead, or behind if negative, until `stop`. */
  constructor(
    private readonly cgroup: string,
    seconds: number,
  ) {
    this.seconds.writeInt32LE(seconds);
    this.timer = setInterval(() => this.patchAll(), EVERY_MS);
  }

  /** New processes have the real time again; those that run keep the shifted one until the machine reboots. */
  stop(): void {
    clearInterval(this.timer);
  }

  private patchAll(): void {
    const seen = new Set<string>();
    for (const pid of processesIn(this.cgroup)) {
      try {
        // A process that executes another program gets a new vDSO.
        const key = `${pid} ${startTimeOf(pid)} ${readlinkSync(`/proc/${pid}/exe`)}`;
        if (!this.patched.has(key)) patch(pid, this.seconds);
        seen.add(key);
      } catch {
        // It has ended in the meantime.
      }
    }
    this.patched = seen;
  }
}

/** The stubs go behind the end of the vDSO's contents, and each function begins with a jump to its stub: no thread can be in the middle of what is overwritten. */
function patch(pid: number, seconds: Buffer): void {
  const [, from = '', to = ''] =
    /^([0-9a-f]+)-([0-9a-f]+) .*\[vdso\]$/m.exec(readFileSync(`/proc/${pid}/maps`, 'utf8')) ?? [];
  if (from === '') return; // A kernel thread or a process that is ending.
  const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
  const memory = openSync(`/proc/${pid}/mem`, 'r+');
  try {
    const vdso = Buffer.alloc(end - start);
    readSync(memory, vdso, 0, vdso.length, start);
    const { functions, free } = layoutOf(vdso);
    for (const [index, [name, stub]] of Object.entries(STUBS).entries()) {
      const [at, target] = [functions.get(name), free + index * STUB_BYTES];
      if (at === undefined || target + STUB_BYTES > vdso.length) throw new Error(`The vDSO has no ${name} or no room.`);
      const bytes = stub(seconds);
      writeSync(memory, bytes, 0, bytes.length, start + target);
      const jump = Buffer.from([0xe9, 0, 0, 0, 0]);
      jump.writeInt32LE(target - (at + jump.length), 1);
      writeSync(memory, jump, 0, jump.length, start + at);
    }
  } finally {
    closeSync(memory);
  }
}

/** Where the functions of an ELF library begin, and where its contents end. */
function layoutOf(elf: Buffer): { functions: Map<string, number>; free: number } {
  const at = (offset: number) => Number(elf.readBigUInt64LE(offset));
  const [table, count] = [at(40), elf.readUInt16LE(60)];
  const sections = Array.from({ length: count }, (_, index) => table + index * SECTION.size);
  const symbols = sections.find(section => elf.readUInt32LE(section + SECTION.type) === DYNAMIC_SYMBOLS);
  if (symbols === undefined) throw new Error('The vDSO has no symbols.');
  const names = at(table + elf.readUInt32LE(symbols + SECTION.link) * SECTION.size + SECTION.offset);
  const [first, length] = [at(symbols + SECTION.offset), at(symbols + SECTION.length)];
  const functions = new Map<string, number>();
  for (let symbol = first; symbol < first + length; symbol += SYMBOL.size) {
    const name = names + elf.readUInt32LE(symbol);
    functions.set(elf.toString('latin1', name, elf.indexOf(0, name)), at(symbol + SYMBOL.value));
  }
  return { functions, free: Math.ceil((table + count * SECTION.size) / 16) * 16 };
}
