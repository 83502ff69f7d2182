/** Where Xen puts the guest's SBSA UART (GUEST_PL011_BASE of the public headers). */
const UART = 0x2200_0000;

/**
 * A whole guest in A64 assembly, for machines that cannot fetch a Linux kernel: an arm64 Image that talks over the UART and takes one-letter
 * commands; `s` calls PSCI SYSTEM_SUSPEND, and the resume entry point tells what it finds. Position independent, runs with the MMU off.
 */
export function ownGuestSource(uart: number = UART): string {
  return `
  b start
  .word 0
  .quad 0                   // text_offset
  .quad 0x10000             // image_size
  .quad 0xa                 // flags: little endian, 4 KiB pages, anywhere
  .quad 0, 0, 0
  .ascii "ARMd"
  .word 0

start:
  bl setup
  adr x0, hello
  bl print
  movz w0, #0x8400, lsl #16 // PSCI_VERSION
  hvc #0
  mov w19, w0
  lsr w0, w19, #16
  bl decimal
  adr x0, dot
  bl print
  and w0, w19, #0xffff
  bl decimal
  adr x0, newline
  bl print
  adr x0, ready
  bl print

command:
  adr x0, prompt
  bl print
  bl getc
  mov w19, w0
  bl putc
drop:                       // The rest of the line is echoed and dropped.
  cmp w0, #13
  b.eq dispatch
  bl getc
  cmp w0, #13
  b.eq dispatch
  bl putc
  b drop
dispatch:
  adr x0, newline
  bl print
  cmp w19, #115
  b.eq suspend
  cmp w19, #112
  b.eq poweroff
  cmp w19, #108
  b.eq log
  adr x0, help
  bl print
  b command

suspend:
  adr x0, suspending
  bl print
  adr x1, asleep_since
  mrs x2, cntvct_el0
  str x2, [x1]
  movz w0, #0x000e          // SYSTEM_SUSPEND(entry point, context id)
  movk w0, #0xc400, lsl #16
  adr x1, resumed
  movz x2, #0xcafe
  hvc #0
  adr x0, refused
  bl print
  b command

resumed:                    // x0 is the context id; every other register was reset.
  mov x19, x0
  bl setup
  adr x1, rounds
  ldr w2, [x1]
  add w2, w2, #1
  str w2, [x1]
  mrs x20, cntvct_el0
  adr x1, asleep_since
  ldr x2, [x1]
  sub x20, x20, x2
  mrs x3, cntfrq_el0
  movz x4, #1000
  mul x20, x20, x4
  udiv x20, x20, x3
  adr x1, slept
  str x20, [x1]
  adr x0, context
  bl print
  movz x1, #0xcafe
  cmp x19, x1
  adr x0, right
  adr x1, wrong
  csel x0, x0, x1, eq
  bl print
  bl log_round
  b command

log:
  bl log_round
  b command

log_round:
  stp x29, x30, [sp, #-16]!
  adr x0, round
  bl print
  adr x1, rounds
  ldr w0, [x1]
  bl decimal
  adr x0, counter
  bl print
  adr x1, slept
  ldr x0, [x1]
  bl decimal
  adr x0, milliseconds
  bl print
  ldp x29, x30, [sp], #16
  ret

poweroff:
  movz w0, #0x0008          // SYSTEM_OFF
  movk w0, #0x8400, lsl #16
  hvc #0
  b poweroff

setup:                      // x27 is the UART, the stack lies behind the code.
  adr x1, stack_top
  mov sp, x1
  movz x27, #${uart & 0xffff}
  movk x27, #${uart >>> 16}, lsl #16
  ret

putc:
  ldr w1, [x27, #0x18]      // Flag register: transmit FIFO full.
  tbnz w1, #5, putc
  str w0, [x27]
  ret

getc:
  ldr w1, [x27, #0x18]      // Flag register: receive FIFO empty.
  tbz w1, #4, getc_ready
  yield
  b getc
getc_ready:
  ldr w0, [x27]
  and w0, w0, #0xff
  ret

print:
  stp x29, x30, [sp, #-32]!
  str x20, [sp, #16]
  mov x20, x0
print_next:
  ldrb w0, [x20], #1
  cbz w0, print_end
  bl putc
  b print_next
print_end:
  ldr x20, [sp, #16]
  ldp x29, x30, [sp], #32
  ret

decimal:
  stp x29, x30, [sp, #-48]!
  add x3, sp, #47
  strb wzr, [x3]
  movz x2, #10
decimal_digit:
  udiv x1, x0, x2
  msub x4, x1, x2, x0
  add w4, w4, #48
  strb w4, [x3, #-1]!
  mov x0, x1
  cbnz x0, decimal_digit
  mov x0, x3
  bl print
  ldp x29, x30, [sp], #48
  ret

hello:
  .asciz "\\r\\nA small guest of our own. PSCI "
ready:
  .asciz "own-guest: user code reached\\r\\n"
prompt:
  .asciz "guest# "
help:
  .asciz "s suspends to RAM, l tells about the last round, p powers off\\r\\n"
suspending:
  .asciz "PSCI SYSTEM_SUSPEND\\r\\n"
refused:
  .asciz "SYSTEM_SUSPEND was refused\\r\\n"
context:
  .asciz "resumed at the entry point, context id "
right:
  .asciz "as given\\r\\n"
wrong:
  .asciz "WRONG\\r\\n"
round:
  .asciz "round "
counter:
  .asciz ", asleep for "
milliseconds:
  .asciz " ms by the virtual counter\\r\\n"
dot:
  .asciz "."
newline:
  .asciz "\\r\\n"
  .balign 16
asleep_since:
  .quad 0
slept:
  .quad 0
rounds:
  .quad 0
  .balign 16
  .skip 1024
stack_top:
`;
}
