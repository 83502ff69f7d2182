// A whole guest of a few hundred instructions: an arm64 Image for Xen that needs no Linux. It talks over the SBSA UART and the PV console,
// counts timer ticks, turns its second vCPU on and off, suspends itself, and can misbehave in several ways. Assembled by `aarch64`.
// Runs with the MMU off at any address, so every access is aligned and every address is PC-relative. SPDX-License-Identifier: MIT

        UART = 0x22000000               // GUEST_PL011_BASE
        UARTDR = 0x00
        UARTFR = 0x18
        GICD = 0x03001000
        GICC = 0x03002000
        GICR = 0x03020000
        VTIMER = 27                     // PPI of the virtual timer

        PSCI_VERSION = 0x84000000
        PSCI_CPU_OFF = 0x84000002
        PSCI_CPU_ON = 0xc4000003
        PSCI_AFFINITY_INFO = 0xc4000004
        PSCI_SYSTEM_OFF = 0x84000008
        PSCI_SYSTEM_RESET = 0x84000009
        PSCI_SYSTEM_SUSPEND = 0xc400000e
        CONTEXT = 0xcafe                // our context id

        HYPERCALL = 0xea1
        SCHED_OP = 29
        EVENT_CHANNEL_OP = 32
        HVM_OP = 34

        // What the exception handler does.
        PANIC = 0
        SKIP = 1                        // goes on behind the instruction
        AGAIN = 2                       // starts the next round of garbage

image:  b       start                   // Linux's boot protocol for arm64
        .word   0
        .xword  0                       // text_offset
        .xword  image_end - image
        .xword  0xa                     // little-endian, 4 KiB pages, anywhere
        .xword  0, 0, 0
        .ascii  "ARM\x64"
        .word   0

// ---- Start, and the line of commands

start:  bl      set_up
        bl      find_consoles
        adr     x0, hello
        bl      print
        ldr     x0, =PSCI_VERSION
        hvc     #0
        mov     x19, x0
        lsr     x0, x19, #16
        bl      decimal
        adr     x0, dot
        bl      print
        and     x0, x19, #0xffff
        bl      decimal
        adr     x0, newline
        bl      print
        bl      second_on_and_off
        adr     x0, ready
        bl      print

command:
        adr     x0, prompt
        bl      print
        bl      flush
        bl      read_line
        ldrb    w0, [x0]
        cbz     w0, command
        adr     x19, commands
1:      ldr     w1, [x19], #8           // name, handler
        cbz     w1, 2f
        adr     x0, line
        adr     x2, commands
        add     x1, x1, x2
        bl      is_equal
        cbz     w0, 1b
        ldr     w1, [x19, #-4]
        adr     x2, commands
        add     x1, x1, x2
        blr     x1
        b       command
2:      adr     x0, help
        bl      print
        b       command

commands:
        .word   n_s - commands, suspend - commands, n_mem - commands, suspend - commands, n_suspend - commands, suspend - commands
        .word   n_p - commands, off - commands, n_off - commands, off - commands, n_poweroff - commands, off - commands
        .word   n_reset - commands, reset - commands
        .word   n_l - commands, log - commands, n_log - commands, log - commands
        .word   n_ticks - commands, ticks - commands
        .word   n_smp - commands, second_on_and_off - commands
        .word   n_deny - commands, deny - commands
        .word   n_crash - commands, crash - commands
        .word   n_spin - commands, spin - commands
        .word   n_unmapped - commands, unmapped - commands
        .word   n_garbage - commands, garbage - commands
        .word   n_hammer - commands, hammer - commands
        .word   0

// ---- Suspend, resume, power

suspend:
        stp     x29, x30, [sp, #-16]!
        adr     x0, suspending
        bl      print
        bl      flush
        bl      ask_to_suspend
        mov     x19, x0                 // It only comes back if it was refused.
        adr     x0, refused
        bl      print
        mov     x0, x19
        bl      signed
        adr     x0, newline
        bl      print
        ldp     x29, x30, [sp], #16
        ret

ask_to_suspend:
        adr     x1, asleep_since
        mrs     x2, cntvct_el0
        str     x2, [x1]
        ldr     x0, =PSCI_SYSTEM_SUSPEND
        adr     x1, resumed
        mov     x2, #CONTEXT
        hvc     #0
        ret

resumed:                                // x0 is the context id; all else is as after a reset.
        mov     x20, x0
        bl      set_up
        adr     x1, rounds
        ldr     x2, [x1]
        add     x2, x2, #1
        str     x2, [x1]
        mrs     x2, cntvct_el0
        adr     x1, asleep_since
        ldr     x3, [x1]
        sub     x2, x2, x3
        bl      milliseconds
        adr     x1, slept
        str     x2, [x1]
        adr     x0, at_entry
        bl      print
        adr     x0, right
        adr     x1, wrong
        mov     x2, #CONTEXT
        cmp     x20, x2
        csel    x0, x0, x1, eq
        bl      print
        bl      log
        b       command

log:    stp     x29, x30, [sp, #-16]!
        adr     x0, round
        bl      print
        adr     x1, rounds
        ldr     x0, [x1]
        bl      decimal
        adr     x0, asleep
        bl      print
        adr     x1, slept
        ldr     x0, [x1]
        bl      decimal
        adr     x0, by_counter
        bl      print
        ldp     x29, x30, [sp], #16
        ret

off:    bl      flush
        ldr     x0, =PSCI_SYSTEM_OFF
        hvc     #0
        b       off

reset:  bl      flush
        ldr     x0, =PSCI_SYSTEM_RESET
        hvc     #0
        b       reset

// ---- The second vCPU

second_on_and_off:
        stp     x29, x30, [sp, #-16]!
        bl      second_on
        cbnz    w0, 1f
        bl      second_off
        adr     x0, second_did
        b       2f
1:      adr     x0, second_none
2:      bl      print
        ldp     x29, x30, [sp], #16
        ret

// CPU_ON for MPIDR 1, and waits until it runs: x0 is PSCI's answer.
second_on:
        adr     x1, second_state
        str     wzr, [x1]
        ldr     x0, =PSCI_CPU_ON
        mov     x1, #1
        adr     x2, second
        mov     x3, #CONTEXT
        hvc     #0
        cbnz    x0, 2f
        adr     x1, second_state
1:      yield
        ldr     w2, [x1]
        cbz     w2, 1b
2:      ret

second_off:
        adr     x1, second_state
        mov     w2, #2
        str     w2, [x1]
        dsb     sy
        sev
1:      yield
        ldr     x0, =PSCI_AFFINITY_INFO
        mov     x1, #1
        mov     x2, #0
        hvc     #0
        cmp     x0, #1                  // OFF
        b.ne    1b
        ret

second: adr     x1, second_state        // Says that it is there, and waits until it shall go.
        mov     w2, #1
        str     w2, [x1]
        dsb     sy
1:      wfe
        ldr     w2, [x1]
        cmp     w2, #2
        b.ne    1b
        ldr     x0, =PSCI_CPU_OFF
        hvc     #0
        b       .

// SYSTEM_SUSPEND while another vCPU is on must be denied (-3).
deny:   stp     x29, x30, [sp, #-16]!
        bl      second_on
        cbnz    w0, 1f
        bl      ask_to_suspend
        mov     x19, x0
        bl      second_off
        adr     x0, is_denied
        adr     x1, is_not_denied
        cmn     x19, #3
        csel    x0, x0, x1, eq
        b       2f
1:      adr     x0, second_none
2:      bl      print
        ldp     x29, x30, [sp], #16
        ret

// ---- Timer

// Ten interrupts, 10 ms apart, taken as exceptions.
ticks:  stp     x29, x30, [sp, #-16]!
        adr     x1, tick_count
        str     xzr, [x1]
        mrs     x19, cntvct_el0
        mov     x0, #10
        bl      arm_timer
        msr     daifclr, #2
1:      wfi
        adr     x1, tick_count
        ldr     x2, [x1]
        cmp     x2, #10
        b.lo    1b
        msr     daifset, #2
        bl      stop_timer
        mrs     x2, cntvct_el0
        sub     x2, x2, x19
        bl      milliseconds
        mov     x19, x2
        adr     x0, ten_ticks
        bl      print
        mov     x0, x19
        bl      decimal
        adr     x0, by_counter
        bl      print
        ldp     x29, x30, [sp], #16
        ret

// The timer fires in x0 ms.
arm_timer:
        mrs     x1, cntfrq_el0
        mul     x0, x0, x1
        mov     x1, #1000
        udiv    x0, x0, x1
        msr     cntv_tval_el0, x0
        mov     x0, #1
        msr     cntv_ctl_el0, x0
        isb
        ret

stop_timer:
        msr     cntv_ctl_el0, xzr
        isb
        ret

// x2 counter ticks as milliseconds in x2.
milliseconds:
        mrs     x3, cntfrq_el0
        mov     x4, #1000
        mul     x2, x2, x4
        udiv    x2, x2, x3
        ret

// Waits at most 4 ms: WFI wakes up for the timer although interrupts are masked.
nap:    stp     x29, x30, [sp, #-16]!
        mov     x0, #4
        bl      arm_timer
        wfi
        bl      stop_timer
        bl      acknowledge
        ldp     x29, x30, [sp], #16
        ret

// Takes the pending interrupt, if any, and ends it.
acknowledge:
        adr     x1, is_gicv3
        ldr     x1, [x1]
        cbz     x1, 1f
        mrs     x0, icc_iar1_el1
        msr     icc_eoir1_el1, x0
        ret
1:      ldr     x1, =GICC
        ldr     w0, [x1, #0x0c]         // GICC_IAR
        str     w0, [x1, #0x10]         // GICC_EOIR
        ret

// ---- Misbehaviour

crash:  brk     #0x800                  // The handler reports it, and shuts down with reason crash.

spin:   b       .

unmapped:
        ldr     x1, =0x0100000000       // Nothing is there.
        br      x1

// Random words as instructions, again after every exception, until somebody ends it.
garbage:
        adr     x0, running_garbage
        bl      print
        bl      flush
        adr     x1, mode
        mov     w0, #AGAIN
        str     w0, [x1]
next_garbage:
        adr     x1, seed
        ldr     x2, [x1]
        ldr     x3, =6364136223846793005
        ldr     x4, =1442695040888963407
        adr     x5, scratch
        add     x6, x5, #4096
1:      madd    x2, x2, x3, x4          // Knuth's generator; the high half is the word.
        lsr     x7, x2, #32
        str     w7, [x5], #4
        cmp     x5, x6
        b.ne    1b
        str     x2, [x1]
        ic      iallu
        dsb     sy
        isb
        adr     x5, scratch
        br      x5

// Every hypercall and function id with arguments that make no sense, but none that would end the guest.
hammer: stp     x29, x30, [sp, #-16]!
        adr     x1, mode
        mov     w0, #SKIP
        str     w0, [x1]
        mov     x19, #0
1:      mov     x16, x19                // hypercalls 0 to 127
        mov     x0, #-1
        mov     x1, #-1
        mov     x2, #-1
        mov     x3, #-1
        mov     x4, #-1
        hvc     #HYPERCALL
        add     x19, x19, #1
        cmp     x19, #128
        b.ne    1b
        ldr     x19, =0x84000010        // PSCI numbers without a call, then the other services
2:      mov     x0, x19
        mov     x1, #-1
        mov     x2, #-1
        mov     x3, #-1
        hvc     #0
        mov     x0, x19
        smc     #0
        add     x19, x19, #1
        ldr     x1, =0x84000100
        cmp     x19, x1
        b.ne    2b
        hvc     #1                      // undefined for Xen
        nop
        smc     #1
        nop
        .inst   0
        nop
        ldr     x0, =PSCI_CPU_ON        // Nonsense for calls that exist
        mov     x1, #-1
        mov     x2, #-1
        hvc     #0
        ldr     x0, =PSCI_SYSTEM_SUSPEND
        mov     x1, #1                  // odd entry
        hvc     #0
        adr     x1, mode
        str     wzr, [x1]
        adr     x0, hammered
        bl      print
        ldp     x29, x30, [sp], #16
        ret

// ---- Exceptions

        .balign 2048
vectors:
        b       .                       // current EL with SP_EL0: never used
        .balign 512
        b       synchronous             // 0x200
        .balign 128
        b       interrupt               // 0x280
        .balign 128
        b       synchronous             // FIQ and SError are as bad as any
        .balign 128
        b       synchronous
        .balign 1024

interrupt:
        sub     sp, sp, #64
        stp     x0, x1, [sp]
        stp     x2, x3, [sp, #16]
        stp     x29, x30, [sp, #32]
        bl      acknowledge
        adr     x1, tick_count
        ldr     x2, [x1]
        add     x2, x2, #1
        str     x2, [x1]
        mov     x0, #10
        bl      arm_timer
        ldp     x0, x1, [sp]
        ldp     x2, x3, [sp, #16]
        ldp     x29, x30, [sp, #32]
        add     sp, sp, #64
        eret

synchronous:
        msr     tpidr_el1, x0           // Garbage may have moved the stack away.
        adr     x0, mode
        ldr     w0, [x0]
        cmp     w0, #SKIP
        b.eq    skip
        adr     x0, stack_end
        mov     sp, x0
        adr     x0, mode
        ldr     w0, [x0]
        cmp     w0, #AGAIN
        b.eq    next_garbage
        adr     x0, panic
        bl      print
        mrs     x0, esr_el1
        bl      hexadecimal
        adr     x0, panic_elr
        bl      print
        mrs     x0, elr_el1
        bl      hexadecimal
        adr     x0, panic_far
        bl      print
        mrs     x0, far_el1
        bl      hexadecimal
        adr     x0, newline
        bl      print
        bl      flush
        mov     x16, #SCHED_OP
        mov     x0, #2                  // SCHEDOP_shutdown
        adr     x1, reason_crash
        hvc     #HYPERCALL
        b       .

// Behind the instruction. After an undefined HVC, ELR is behind it already: the one that follows it must not matter.
skip:   mrs     x0, elr_el1
        add     x0, x0, #4
        msr     elr_el1, x0
        mrs     x0, tpidr_el1
        eret

// ---- Set-up, after a reset and after a resume

set_up: adr     x0, stack_end
        mov     sp, x0
        adr     x0, vectors
        msr     vbar_el1, x0
        adr     x0, mode
        str     wzr, [x0]
        mrs     x0, id_aa64pfr0_el1
        ubfx    x0, x0, #24, #4
        adr     x1, is_gicv3
        str     x0, [x1]
        ldr     x1, =GICD
        ldr     x2, =0x80808080
        mov     w3, #1 << VTIMER
        cbz     x0, 1f
        mov     w0, #0x12               // ARE, group 1
        str     w0, [x1]
        ldr     x1, =GICR
        str     wzr, [x1, #0x14]        // GICR_WAKER
        add     x1, x1, #0x10000
        mov     w0, #-1
        str     w0, [x1, #0x80]         // GICR_IGROUPR0
        str     w2, [x1, #0x418]        // GICR_IPRIORITYR6
        str     w3, [x1, #0x100]        // GICR_ISENABLER0
        mov     x0, #1
        msr     icc_sre_el1, x0
        isb
        mov     x0, #0xf0
        msr     icc_pmr_el1, x0
        mov     x0, #1
        msr     icc_igrpen1_el1, x0
        isb
        ret
1:      mov     w0, #1
        str     w0, [x1]                // GICD_CTLR
        str     w2, [x1, #0x418]        // GICD_IPRIORITYR6
        str     w3, [x1, #0x100]        // GICD_ISENABLER0
        ldr     x1, =GICC
        str     w0, [x1]                // GICC_CTLR
        mov     w0, #0xf0
        str     w0, [x1, #4]            // GICC_PMR
        ret

// Which consoles there are: an access to a UART that is not there aborts, and the handler skips it.
find_consoles:
        adr     x2, mode
        mov     w0, #SKIP
        str     w0, [x2]
        mov     w0, #-1
        ldr     x1, =UART
        ldr     w0, [x1, #UARTFR]
        str     wzr, [x2]
        cmn     w0, #1
        csel    x1, xzr, x1, eq
        adr     x0, uart
        str     x1, [x0]
        adr     x19, hvm_param
        mov     w0, #17                 // HVM_PARAM_CONSOLE_PFN
        str     w0, [x19, #4]
        mov     x16, #HVM_OP
        mov     x0, #1                  // HVMOP_get_param
        mov     x1, x19
        hvc     #HYPERCALL
        cbnz    x0, 1f
        ldr     x20, [x19, #8]
        lsl     x20, x20, #12
        mov     w0, #18                 // HVM_PARAM_CONSOLE_EVTCHN
        str     w0, [x19, #4]
        mov     x16, #HVM_OP
        mov     x0, #1
        mov     x1, x19
        hvc     #HYPERCALL
        cbnz    x0, 1f
        ldr     x1, [x19, #8]
        cbz     x1, 1f
        adr     x0, console_port
        str     w1, [x0]
        adr     x0, ring
        str     x20, [x0]
1:      ret

// ---- Output and input, on all consoles

// The byte in w0 to the UART, and to the ring unless it is full. Changes x1 to x4.
put:    adr     x1, uart
        ldr     x1, [x1]
        cbz     x1, 2f
1:      ldr     w2, [x1, #UARTFR]
        tbnz    w2, #5, 1b              // transmit FIFO full
        str     w0, [x1, #UARTDR]
2:      adr     x1, ring
        ldr     x1, [x1]
        cbz     x1, 3f
        ldr     w2, [x1, #3084]         // out_prod
        ldr     w3, [x1, #3080]         // out_cons
        sub     w3, w2, w3
        cmp     w3, #2048
        b.hs    3f
        and     w3, w2, #2047
        add     x4, x1, #1024
        strb    w0, [x4, x3]
        add     w2, w2, #1
        dmb     ish
        str     w2, [x1, #3084]
3:      ret

// Tells the console daemon that there is something in the ring.
flush:  adr     x1, ring
        ldr     x1, [x1]
        cbz     x1, 1f
        mov     x16, #EVENT_CHANNEL_OP
        mov     x0, #4                  // EVTCHNOP_send
        adr     x1, console_port
        hvc     #HYPERCALL
1:      ret

// The next byte of any console in w0; naps while there is none.
get:    stp     x29, x30, [sp, #-16]!
1:      adr     x1, uart
        ldr     x1, [x1]
        cbz     x1, 2f
        ldr     w2, [x1, #UARTFR]
        tbnz    w2, #4, 2f              // receive FIFO empty
        ldr     w0, [x1, #UARTDR]
        and     w0, w0, #0xff
        b       4f
2:      adr     x1, ring
        ldr     x1, [x1]
        cbz     x1, 3f
        ldr     w2, [x1, #3072]         // in_cons
        ldr     w3, [x1, #3076]         // in_prod
        cmp     w2, w3
        b.eq    3f
        dmb     ish
        and     w3, w2, #1023
        ldrb    w0, [x1, x3]
        add     w2, w2, #1
        dmb     ish
        str     w2, [x1, #3072]
        b       4f
3:      bl      nap
        b       1b
4:      ldp     x29, x30, [sp], #16
        ret

// A line without its end, echoed: x0 points to it. What does not fit is dropped.
read_line:
        stp     x29, x30, [sp, #-32]!
        stp     x19, x20, [sp, #16]
        adr     x19, line
        add     x20, x19, #31
1:      bl      get
        cmp     w0, #13
        b.eq    2f
        cmp     w0, #10
        b.eq    2f
        cmp     x19, x20
        b.eq    1b
        strb    w0, [x19], #1
        bl      put
        bl      flush
        b       1b
2:      strb    wzr, [x19]
        adr     x0, newline
        bl      print
        adr     x0, line
        ldp     x19, x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// Prints the string at x0.
print:  stp     x29, x30, [sp, #-32]!
        str     x20, [sp, #16]
        mov     x20, x0
1:      ldrb    w0, [x20], #1
        cbz     w0, 2f
        bl      put
        b       1b
2:      ldr     x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// Prints x0 as a signed number.
signed: tbz     x0, #63, decimal
        stp     x29, x30, [sp, #-32]!
        str     x0, [sp, #16]
        mov     w0, #'-'
        bl      put
        ldr     x0, [sp, #16]
        neg     x0, x0
        ldp     x29, x30, [sp], #32
decimal:
        mov     x5, #10
        b       number
hexadecimal:
        mov     x5, #16

// Prints x0 to the base x5.
number: stp     x29, x30, [sp, #-48]!
        add     x6, sp, #47
        strb    wzr, [x6]
1:      udiv    x1, x0, x5
        msub    x2, x1, x5, x0
        cmp     w2, #10
        add     w3, w2, #'0'
        add     w4, w2, #'a' - 10
        csel    w2, w3, w4, lo
        strb    w2, [x6, #-1]!
        mov     x0, x1
        cbnz    x0, 1b
        mov     x0, x6
        bl      print
        ldp     x29, x30, [sp], #48
        ret

// w0 is 1 if the strings at x0 and x1 are equal.
is_equal:
        ldrb    w2, [x0], #1
        ldrb    w3, [x1], #1
        cmp     w2, w3
        b.ne    1f
        cbnz    w2, is_equal
        mov     w0, #1
        ret
1:      mov     w0, #0
        ret

        .ltorg

// ---- Texts and state

hello:  .asciz  "\r\nA small guest of our own. PSCI "
ready:  .asciz  "own-guest: user code reached\r\n"
prompt: .asciz  "guest# "
help:   .asciz  "mem, suspend, s suspends to RAM; log, l tells about the last round; off, poweroff, p powers off; reset, ticks, smp, deny, crash, spin, unmapped, garbage, hammer\r\n"
suspending: .asciz "PSCI SYSTEM_SUSPEND\r\n"
refused: .asciz "SYSTEM_SUSPEND was refused: "
at_entry: .asciz "resumed at the entry point, context id "
right:  .asciz  "as given\r\n"
wrong:  .asciz  "WRONG\r\n"
round:  .asciz  "round "
asleep: .asciz  ", asleep for "
by_counter: .asciz " ms by the virtual counter\r\n"
second_did: .asciz "vcpu 1 was on and is off again\r\n"
second_none: .asciz "there is no vcpu 1\r\n"
is_denied: .asciz "DENIED: another vcpu is on\r\n"
is_not_denied: .asciz "NOT DENIED\r\n"
ten_ticks: .asciz "10 ticks in "
running_garbage: .asciz "running garbage\r\n"
hammered: .asciz "hammered, and still here\r\n"
panic:  .asciz  "panic: esr 0x"
panic_elr: .asciz " elr 0x"
panic_far: .asciz " far 0x"
dot:    .asciz  "."
newline: .asciz "\r\n"
n_s:    .asciz  "s"
n_mem:  .asciz  "mem"
n_suspend: .asciz "suspend"
n_p:    .asciz  "p"
n_off:  .asciz  "off"
n_poweroff: .asciz "poweroff"
n_reset: .asciz "reset"
n_l:    .asciz  "l"
n_log:  .asciz  "log"
n_ticks: .asciz "ticks"
n_smp:  .asciz  "smp"
n_deny: .asciz  "deny"
n_crash: .asciz "crash"
n_spin: .asciz  "spin"
n_unmapped: .asciz "unmapped"
n_garbage: .asciz "garbage"
n_hammer: .asciz "hammer"

        .balign 16
reason_crash: .word 3, 0
hvm_param: .hword 0x7ff0, 0             // DOMID_SELF
        .word   0
        .xword  0
console_port: .word 0
mode:   .word   0
second_state: .word 0, 0
uart:   .xword  0
ring:   .xword  0
is_gicv3: .xword 0
tick_count: .xword 0
asleep_since: .xword 0
slept:  .xword  0
rounds: .xword  0
seed:   .xword  1
line:   .space  32
        .balign 16
stack:  .space  2048
stack_end:
        .balign 4096
scratch: .space 4096
image_end:
