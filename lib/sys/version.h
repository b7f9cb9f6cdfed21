/* version.h: one version for every program of the suite. */
#ifndef VERSION_H
#define VERSION_H

#define C10K_VERSION "0.1.0"

#endif
