//go:build !unix

package client

import "math"

func raiseFileLimit() {}

func openFiles() int { return math.MaxInt }

func ephemeralPorts() int { return math.MaxInt }
