// Winograd's formulas for tiles of M x M outputs, M = 2 or 4 (kernels/conv2d/_winograd.py says where they come from).
#pragma once

#define POINTS (M + 2)  // along one axis

#define FORMULA static __device__ __forceinline__ void

#if M == 2

FORMULA to_points(const float (&d)[4], float (&v)[4]) {
    v[0] = d[0] - d[2], v[1] = d[1] + d[2], v[2] = d[2] - d[1], v[3] = d[1] - d[3];
}

FORMULA from_points(const float (&s)[4], float (&y)[2]) { y[0] = s[0] + s[1] + s[2], y[1] = s[1] - s[2] - s[3]; }

FORMULA kernel_points(const float (&g)[3], float (&u)[4]) {
    const float even = (g[0] + g[2]) * 0.5f, odd = g[1] * 0.5f;
    u[0] = g[0], u[1] = even + odd, u[2] = even - odd, u[3] = g[2];
}

#else

FORMULA to_points(const float (&d)[6], float (&v)[6]) {
    const float even = d[4] - d[2] * 4.0f, odd = d[3] - d[1] * 4.0f, even_2 = d[4] - d[2], odd_2 = (d[3] - d[1]) * 2.0f;
    v[0] = d[0] * 4.0f - d[2] * 5.0f + d[4];
    v[1] = even + odd, v[2] = even - odd, v[3] = even_2 + odd_2, v[4] = even_2 - odd_2;
    v[5] = d[1] * 4.0f - d[3] * 5.0f + d[5];
}

FORMULA from_points(const float (&s)[6], float (&y)[4]) {
    const float even = s[1] + s[2], odd = s[1] - s[2], even_2 = s[3] + s[4], odd_2 = s[3] - s[4];
    y[0] = s[0] + even + even_2, y[1] = odd + odd_2 * 2.0f, y[2] = even + even_2 * 4.0f;
    y[3] = odd + odd_2 * 8.0f + s[5];
}

FORMULA kernel_points(const float (&g)[3], float (&u)[6]) {
    const float even = (g[0] + g[2]) * (-1 / 6.0f), odd = g[1] * (-1 / 6.0f);
    const float even_2 = g[0] * (1 / 24.0f) + g[2] * (1 / 6.0f), odd_2 = g[1] * (1 / 12.0f);
    u[0] = g[0] * 0.25f, u[1] = even + odd, u[2] = even - odd, u[3] = even_2 + odd_2, u[4] = even_2 - odd_2;
    u[5] = g[2];
}

#endif

// to[p apart] = number p of the values at the points, row by row.
FORMULA write_points(const float (&values)[POINTS][POINTS], float *to, long long apart) {
#pragma unroll
    for (int p = 0; p < POINTS * POINTS; p++) to[p * apart] = values[p / POINTS][p % POINTS];
}

// square (OUT,OUT) = the formula along the columns of `of` (IN,IN), then along its rows.
template <int IN, int OUT, class Formula>
static __device__ __forceinline__ void both_axes(Formula formula, const float (&of)[IN][IN],
                                                 float (&square)[OUT][OUT]) {
    float columns[IN][OUT];
#pragma unroll
    for (int j = 0; j < IN; j++) {
        float column[IN];
#pragma unroll
        for (int i = 0; i < IN; i++) column[i] = of[i][j];
        formula(column, columns[j]);
    }
#pragma unroll
    for (int i = 0; i < OUT; i++) {
        float row[IN];
#pragma unroll
        for (int j = 0; j < IN; j++) row[j] = columns[j][i];
        formula(row, square[i]);
    }
}
