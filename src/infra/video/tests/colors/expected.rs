//! The colors of the eight bars as Chromium 156 shows them, read from a canvas.

use super::Rgb;

/// How Chromium shows the bars if it uses the right matrix.
pub(super) const PLAIN: [Rgb; 8] = [
    [220, 41, 40],
    [41, 200, 60],
    [40, 70, 218],
    [231, 220, 52],
    [128, 128, 128],
    [255, 255, 255],
    [16, 16, 16],
    [200, 140, 161],
];

/// How Chromium shows BT.601 bars that it mistakes for BT.709.
pub(super) const MISTAKEN_FOR_BT709: [Rgb; 8] = [
    [236, 58, 40],
    [28, 176, 60],
    [35, 75, 218],
    [234, 211, 52],
    [128, 128, 128],
    [255, 255, 255],
    [16, 16, 16],
    [206, 147, 161],
];

/// How Chromium shows BT.709 bars that it mistakes for BT.601.
pub(super) const MISTAKEN_FOR_BT601: [Rgb; 8] = [
    [203, 20, 39],
    [52, 224, 62],
    [41, 63, 209],
    [226, 227, 55],
    [125, 128, 127],
    [252, 255, 252],
    [14, 16, 13],
    [192, 131, 158],
];

/// How Chromium shows bars with the primaries of Display P3.
pub(super) const DISPLAY_P3: [Rgb; 8] = [
    [239, 0, 20],
    [0, 202, 22],
    [24, 70, 217],
    [232, 216, 0],
    [125, 127, 127],
    [251, 255, 252],
    [12, 16, 13],
    [207, 136, 159],
];

/// How Chromium shows bars that `zscale` converted to BT.2020 without HDR.
pub(super) const BT2020: [Rgb; 8] = [
    [225, 56, 57],
    [60, 204, 80],
    [59, 80, 213],
    [232, 222, 79],
    [135, 135, 135],
    [255, 255, 255],
    [28, 28, 28],
    [205, 145, 166],
];

/// How Chromium shows HDR10 bars whose white is at 203 cd/m².
pub(super) const HDR10_203: [Rgb; 8] = [
    [156, 31, 29],
    [21, 145, 43],
    [25, 51, 146],
    [165, 161, 40],
    [92, 92, 92],
    [187, 187, 187],
    [9, 9, 9],
    [143, 102, 112],
];

/// How Chromium shows HDR10 bars whose white is at 1000 cd/m².
pub(super) const HDR10_1000: [Rgb; 8] = [
    [255, 56, 54],
    [47, 242, 78],
    [54, 88, 244],
    [250, 245, 67],
    [190, 190, 190],
    [254, 254, 254],
    [30, 30, 30],
    [249, 181, 196],
];

/// How Chromium shows HLG bars whose white is at 203 cd/m². The bars come from `zscale`, which
/// applies the system gamma to each channel, whereas Chromium applies it to the luminance.
pub(super) const HLG_203: [Rgb; 8] = [
    [144, 41, 37],
    [50, 143, 59],
    [39, 51, 129],
    [162, 161, 60],
    [92, 92, 92],
    [187, 187, 187],
    [8, 8, 8],
    [141, 103, 115],
];

/// How Chromium shows HLG bars whose white is at 1000 cd/m².
pub(super) const HLG_1000: [Rgb; 8] = [
    [255, 84, 73],
    [89, 240, 102],
    [80, 98, 232],
    [251, 242, 96],
    [191, 191, 191],
    [254, 254, 254],
    [29, 29, 29],
    [246, 185, 203],
];
