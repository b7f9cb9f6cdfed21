/* doctor.h: `c10k doctor`: what on this machine will spoil a measurement, each with its cure. */
#ifndef DOCTOR_H
#define DOCTOR_H

/* argv[0] is "doctor". Returns the exit code: 0, or 1 when something makes measuring impossible. */
int doctor_main(int argc, char **argv);

#endif
