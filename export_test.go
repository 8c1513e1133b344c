package loadgen

// Mix and Stride are what the items of a stream are derived with.
var Mix = mix

const Stride = stride
