// Package blockstest reads blocks of a Prometheus database, for tests of what writes them.
package blockstest
