// Spellings that objdump never prints: aliases, other ways to write the same, and what as makes of immediates. See record.mjs.
mov x0, sp
mov sp, x1
mov w3, wsp
mov x0, #0
mov w0, #-1
mov x0, #-1
mov x1, #0x12340000
mov x1, #-0x12340001
mov x2, #0xffffffffffff0000
mov w2, #0xffff0000
mov x3, #0xaaaaaaaaaaaaaaaa
mov w4, #0x0f0f0f0f
mov sp, #0xff0
mov x5, x6
mov w7, w8
add x0, x1, 16
add x0, x1, #0x1000
add x0, x1, #1, lsl #12
sub sp, sp, #0x20000
add x0, sp, x1
add x0, sp, x1, lsl #2
add sp, sp, x1
add w0, wsp, w1
add x0, x1, w2, uxtb #2
add x0, x1, x2, uxtx
add x0, x1, w2, sxtw
adds x0, sp, x1, lsl #1
sub x0, x1, x2, asr #63
cmp x0, #1
cmp w0, #0x1000
cmp x0, x1
cmp x0, x1, lsl #3
cmp x0, w1, uxtb
cmp sp, x1
cmp wsp, w1
cmn x0, #1
cmn w1, w2, asr #4
neg x0, x1
neg w0, w1, lsl #3
negs x0, x1
ngc x0, x1
ngcs w0, w1
mvn x0, x1
mvn w0, w1, ror #4
tst x0, #0xff
tst w1, w2
and x0, x1, #-2
and w0, w1, #-2
bic x0, x1, x2, lsr #1
orr w0, wzr, #0x7fffffff
eor x0, x1, #0x5555555555555555
lsl x0, x1, #0
lsl x0, x1, #63
lsl w0, w1, #31
lsr x0, x1, #0
lsr w0, w1, #31
asr x0, x1, #5
ror x0, x1, #7
ror w0, w1, #31
lsl x0, x1, x2
lsr w0, w1, w2
asr x0, x1, x2
ror w0, w1, w2
lslv x0, x1, x2
rorv w0, w1, w2
sxtb x0, w1
sxtb w0, w1
sxth x0, w1
sxth w2, w3
sxtw x0, w1
uxtb w0, w1
uxth w0, w1
bfi x0, x1, #4, #8
bfi x0, x1, #0, #8
bfi w0, w1, #31, #1
bfxil x0, x1, #4, #8
bfc x0, #4, #8
sbfiz x0, x1, #4, #8
sbfx w0, w1, #4, #8
ubfiz w0, w1, #4, #8
ubfx x0, x1, #60, #4
sbfm x0, x1, #3, #40
ubfm w0, w1, #3, #10
bfm x0, x1, #3, #40
extr x0, x1, x2, #5
cset x0, eq
cset w0, hs
csetm x0, lo
cinc x0, x1, ne
cinv w0, w1, mi
cneg x0, x1, gt
csel x0, x1, x2, cs
csel w0, w1, w2, cc
ccmp x0, #31, #15, al
ccmn w0, w1, #0, nv
mul x0, x1, x2
mneg w0, w1, w2
smull x0, w1, w2
smnegl x0, w1, w2
umull x0, w1, w2
umnegl x0, w1, w2
madd x0, x1, x2, xzr
rev x0, x1
rev64 x0, x1
rev w0, w1
rev16 x0, x1
rev32 x0, x1
movz x0, #1, lsl #48
movz x0, #0, lsl #16
movn w0, #0xffff
movk x0, #0xffff, lsl #32
movk w0, 7
b.hs .
b.lo .
bcs .
bne .
beq . + 8
cbz w0, . - 4
tbz x0, #3, .
tbz w0, #3, .
tbnz x0, #63, . + 16
b .
bl . + 4096
ret
ret x1
ret lr
br x16
blr lr
adr x0, .
adr x0, . + 5
adrp x0, .
ldr x0, [x1]
ldr x0, [x1, #0]
ldr x0, [x1, 8]
ldr x0, [x1, #-8]
ldr x0, [x1, #3]
ldr w0, [sp, #4]
ldr x0, [x1, x2]
ldr x0, [x1, x2, lsl #3]
ldr x0, [x1, w2, uxtw]
ldr x0, [x1, w2, uxtw #3]
ldr x0, [x1, w2, sxtw #0]
ldrb w0, [x1, x2]
ldrb w0, [x1, x2, lsl #0]
ldrsw x0, [x1], #4
ldrsb w0, [x1, #1]!
ldrsh x0, [x1, #2]
ldr x0, .
ldrsw x0, . + 4
ldr x29, [fp, #8]
stp x29, x30, [sp, #-16]!
stp fp, lr, [sp, #16]
ldp x0, x1, [sp], #16
ldp w0, w1, [x2]
ldpsw x0, x1, [x2, #4]
ldnp x0, x1, [x2]
stnp q0, q1, [x2, #32]
str xzr, [x0]
ldtr x0, [x1, #1]
sttrb w0, [x1]
prfm pldl1keep, [x0]
prfm pstl2strm, [x0, x1, lsl #3]
prfm pldl1keep, .
prfum pldl1strm, [x0, #-1]
prfm #6, [x0]
ldxr x0, [x1]
ldaxr w0, [sp]
ldxrb w0, [x1]
stlxr w0, x1, [x2]
stxp w0, x1, x2, [x3]
ldaxp w0, w1, [x2]
ldar x0, [x1]
ldarh w0, [x1]
ldapr x0, [x1]
ldapr w0, [sp, #0]
ldaprb w0, [x1]
ldaprh w0, [x1]
stlr w0, [x1]
stlrb w0, [x1, #0]
cas x0, x1, [x2]
casalb w0, w1, [x2]
caspal x0, x1, x2, x3, [x4]
casp w0, w1, w2, w3, [sp]
ldadd x0, x1, [x2]
ldaddal w0, w1, [x2]
stadd x0, [x1]
staddlb w0, [x1]
swpal x0, x1, [x2]
ldumaxah w0, w1, [x2]
clrex
clrex #0
svc 0
svc #0x1234
hvc #0xea1
smc #1
brk #0x800
eret
nop
yield
wfe
wfi
sev
sevl
csdb
esb
psb csync
xpaclri
paciasp
autiasp
bti
bti c
bti j
bti jc
hint #7
hint #0x7f
dsb sy
dsb ish
dsb #3
dmb ishst
dmb ishld
isb
isb sy
isb #1
mrs x0, sctlr_el1
mrs x0, nzcv
mrs x0, daif
mrs x0, cntvct_el0
mrs x0, CurrentEL
mrs x0, s3_0_c1_c0_0
msr vbar_el1, x0
msr spsel, #1
msr daifset, #15
msr daifclr, #2
msr nzcv, x1
msr daif, xzr
msr icc_eoir1_el1, x0
msr s3_3_c15_c2_1, x3
dc zva, x0
dc civac, x1
dc cvau, x2
ic iallu
ic ialluis
ic ivau, x3
tlbi vmalle1
tlbi vmalle1is
tlbi vae1is, x0
tlbi aside1, x1
at s1e1r, x2
sys #3, c7, c4, #1, x0
sys #0, c8, c7, #0
sysl x0, #3, c7, c4, #2
MOV X0, X1
LDR W0, [SP, #4]
movi v0.2d, #0
movi v0.4s, #1
movi v0.4s, #1, lsl #0
movi v0.4s, #1, lsl #24
movi v0.8h, #1, lsl #8
movi v0.4s, #1, msl #16
movi v0.16b, #0xff
movi d0, #0xff00ff00ff00ff00
mvni v1.2s, #2
orr v0.4s, #1, lsl #8
bic v0.8h, #0x80
fmov v0.4s, #1.0
fmov v0.2d, #-0.5
mov v0.16b, v1.16b
mov v0.8b, v1.8b
mvn v0.16b, v1.16b
mov v0.s[1], w2
mov v0.d[1], x2
ins v0.b[15], w2
mov v0.h[1], v2.h[7]
ins v0.s[0], v2.s[3]
mov w0, v1.s[2]
mov x0, v1.d[1]
umov w0, v1.b[3]
smov x0, v1.s[1]
mov s0, v1.s[1]
mov d0, v1.d[0]
dup v0.8b, w1
dup v0.2d, x1
dup v0.4s, v1.s[3]
dup h0, v1.h[7]
sxtl v0.8h, v1.8b
uxtl2 v0.2d, v1.4s
sshll v0.4s, v1.4h, #3
shl v0.2d, v1.2d, #63
sshr v0.4s, v1.4s, #32
ushr d0, d1, #64
sli v0.16b, v1.16b, #7
shrn v0.8b, v1.8h, #8
sqshrun2 v0.4s, v1.2d, #1
cmeq v0.16b, v1.16b, #0
cmgt d0, d1, #0
ld1 {v0.16b}, [x0]
ld1 {v0.16b, v1.16b}, [x0], #32
ld1 {v0.16b-v3.16b}, [x0], x1
ld1 {v31.8h, v0.8h, v1.8h}, [sp]
ld4 {v0.4s, v1.4s, v2.4s, v3.4s}, [x0], #64
st2 {v0.2d, v1.2d}, [x1]
ld1 {v0.b}[15], [x0]
ld1 {v0.d}[1], [x0], #8
st3 {v0.h, v1.h, v2.h}[7], [x0], #6
ld4 {v0.s-v3.s}[3], [x0], x5
ld1r {v0.8b}, [x0], #1
ld2r {v0.2d, v1.2d}, [x0], x1
ldr q0, [x1, #16]
ldr d0, [x1, #-8]
str b0, [x1, x2]
ldr h0, [x1, w2, sxtw #1]
str q0, [x1, x2, lsl #4]
ldp d8, d9, [sp], #16
stp q0, q1, [sp, #-32]!
ldr s0, .
ldr q0, . + 16
tbl v0.16b, {v1.16b}, v2.16b
tbx v0.8b, {v31.16b, v0.16b}, v2.8b
tbl v0.16b, {v1.16b-v4.16b}, v5.16b
ext v0.16b, v1.16b, v2.16b, #15
mla v0.4s, v1.4s, v2.s[3]
smull2 v0.4s, v1.8h, v15.h[7]
sqdmulh s0, s1, v31.s[2]
addv b0, v1.16b
uaddlv d0, v1.4s
addp d0, v1.2d
fmov d0, #1.0
fmov s0, #-0.15625
fmov d0, 31
fmov x0, d1
fmov d0, x1
fmov w0, s1
fmov s0, wzr
fmov x0, v1.d[1]
fmov v0.d[1], x1
fmov d0, d1
fadd d0, d1, d2
fnmul s0, s1, s2
fmadd d0, d1, d2, d3
fnmsub s0, s1, s2, s3
fcmp d0, d1
fcmp d0, #0.0
fcmp s0, #0
fcmpe s0, s1
fccmp d0, d1, #15, hs
fcsel d0, d1, d2, lo
fcvt d0, s1
fcvt h0, d1
fcvtzs x0, d1
fcvtzu w0, s1, #32
fcvtas x0, s1
scvtf d0, x1
ucvtf s0, w1, #1
frintz d0, d1
fadd v0.4s, v1.4s, v2.4s
fmla v0.2d, v1.2d, v2.d[1]
fmulx s0, s1, v2.s[3]
fcmeq v0.2s, v1.2s, #0.0
fcvtzs v0.4s, v1.4s, #1
scvtf d0, d1, #64
fcvtl v0.4s, v1.4h
fcvtn2 v0.4s, v1.2d
fcvtxn s0, d1
faddp s0, v1.2s
fmaxv s0, v1.4s
frecpe v0.2s, v1.2s
ursqrte v0.4s, v1.4s
hlt #0xf000
dcps1
dcps3 #1
drps
udf #7
mrs x3, ctr_el0
dc cvac, x5
