/*
 * Runs single instructions and tells what they did. Reads cases from standard input, writes results to standard output (state.ts has the
 * layout); meant for qemu-aarch64. Every case ends in a signal: a breakpoint behind the instruction, or whatever the instruction raised.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { CODE = 0x40000000, CODE_BYTES = 0x2000, DATA = 0x40010000, DATA_BYTES = 0x80000, CHANGED_MAX = 128, BRK = 0xd4200000, FPSIMD = 0x46508001 };

struct state {
  uint64_t x[32]; /* x[31] is SP */
  uint64_t v[64];
  uint64_t pc;
  uint32_t nzcv, fpcr, fpsr, word;
};

struct result {
  struct state state;
  uint32_t signal, changed_at, changed_bytes, pad;
  uint8_t changed[CHANGED_MAX];
};

struct fpsimd {
  uint32_t magic, size, fpsr, fpcr;
  uint64_t v[64];
};

static uint8_t pristine[DATA_BYTES];
static int running;
static struct state in;
static struct result out;
static uint8_t stack[1 << 16];

static int transfer(int fd, void *buffer, size_t bytes, int is_write) {
  for (uint8_t *p = buffer; bytes > 0;) {
    ssize_t done = is_write ? write(fd, p, bytes) : read(fd, p, bytes);
    if (done <= 0) return 0;
    p += done, bytes -= done;
  }
  return 1;
}

static void compare_memory(void) {
  uint8_t *data = (uint8_t *)(uintptr_t)DATA;
  out.changed_at = out.changed_bytes = 0;
  if (memcmp(data, pristine, DATA_BYTES) == 0) return;
  uint32_t first = 0, last = DATA_BYTES - 1;
  while (data[first] == pristine[first]) first++;
  while (data[last] == pristine[last]) last--;
  out.changed_at = first;
  out.changed_bytes = last - first + 1;
  memcpy(out.changed, data + first, out.changed_bytes < CHANGED_MAX ? out.changed_bytes : CHANGED_MAX);
  memcpy(data + first, pristine + first, out.changed_bytes);
}

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)info;
  mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
  struct fpsimd *fp = (struct fpsimd *)m->__reserved;
  while (fp->magic != FPSIMD) fp = (struct fpsimd *)((uint8_t *)fp + fp->size);
  uint32_t *slot = (uint32_t *)(uintptr_t)in.pc;
  if (running) {
    memcpy(out.state.x, m->regs, 31 * 8);
    out.state.x[31] = m->sp;
    memcpy(out.state.v, fp->v, sizeof fp->v);
    out.state.pc = m->pc;
    out.state.nzcv = m->pstate >> 28;
    out.state.fpcr = fp->fpcr;
    out.state.fpsr = fp->fpsr;
    out.state.word = in.word;
    out.signal = number;
    compare_memory();
    *slot = BRK;
    __builtin___clear_cache((char *)slot, (char *)(slot + 1));
    if (!transfer(1, &out, sizeof out, 1)) _exit(1);
  }
  if (!transfer(0, &in, sizeof in, 0)) _exit(0);
  running = 1;
  slot = (uint32_t *)(uintptr_t)in.pc;
  *slot = in.word;
  __builtin___clear_cache((char *)slot, (char *)(slot + 1));
  memcpy(m->regs, in.x, 31 * 8);
  m->sp = in.x[31];
  memcpy(fp->v, in.v, sizeof fp->v);
  m->pc = in.pc;
  m->pstate = (uint64_t)in.nzcv << 28;
  fp->fpcr = in.fpcr;
  fp->fpsr = in.fpsr;
}

int main(void) {
  const int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  uint32_t *code = mmap((void *)(uintptr_t)CODE, CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, fixed, -1, 0);
  uint8_t *data = mmap((void *)(uintptr_t)DATA, DATA_BYTES, PROT_READ | PROT_WRITE, fixed, -1, 0);
  if (code == MAP_FAILED || data == MAP_FAILED) return 1;
  for (int i = 0; i < CODE_BYTES / 4; i++) code[i] = BRK;
  for (uint32_t i = 0; i < DATA_BYTES; i++) data[i] = (uint8_t)(i * 167 + (i >> 8) * 91 + 13);
  memcpy(pristine, data, DATA_BYTES);
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternate, 0);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGTRAP, SIGILL, SIGSEGV, SIGBUS, SIGFPE};
  for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) sigaction(signals[i], &action, 0);
  in.pc = CODE;
  __asm__ volatile("brk #0");
  return 1;
}
