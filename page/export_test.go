package page

// DrawAt sets how fine files of pixels are and returns how fine they were.
func DrawAt(dots int) (before int) {
	before, dotsPerInch = dotsPerInch, dots
	return before
}
