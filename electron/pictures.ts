/** Small images of the tray and the taskbar, as PNG in base64, drawn from `renderer/theme/logo.svg`. At 16 and 32 pixels. */
export interface Picture {
  small: string
  large: string
}

/** The logo, for trays that show colour. */
export const logo: Picture = {
  small: [
    'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAABhUlEQVR4nMRTTUtCQRQ98xwVClPDSMugqIUSWTvbtI0IhaKtUARG21ZF1CZa9A',
    '8Cgzb9gIQKWgdSuygJWkgFqWWfVhD59aaZJ73eUymqRQcec+7ce87cmTdDwdEbTgb4MAewbhBiw1dgLAuQE85Wjtbc26RnKj0iQd7ELyBDGqWE',
    'ybMg1UmzEWhvNir8IlNArlBdI7SUEOaFxoEagOlgAyYGLQoXKJaA9d0XRHaeFa4acC3lg1XruhCyo8tFMbN6j/h5XpnzdZgUU4dVwtJGVtuDlW',
    'rFfZ0mBPx1GJ6/wk1WVuf34m9IpAvYWnYiGnvF8VlezUlaA7/XjMNEThWLFRdDNkwOWXD9UFI68nvMWgl0HbQ6KDKPn5sc5+cwNlCv8NPLPFJ3',
    'RbibdBJ9BwZdBDjtBpW7GmnNmorw5/h/A74x9vRxF8QlYZqk+HV2S/kcbrOlqrzQEl84uU8I+kXoaTOiKDMkUsWaq1XmGcPBnx+TFI+0RHlfQf',
    '7Fyk/1G4gapRZBoX0HAAD//ynFVK4AAAAGSURBVAMA1uKNjpsWwcQAAAAASUVORK5CYII=',
  ].join(''),
  large: [
    'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAYAAABzenr0AAADPUlEQVR4nOxXS0hUURj+zvXOqKmMGVr5tjKfqT0W6SoKbdmDIkQYDUppkS0EoU',
    'DETaC1qhZpSUGLkIKE2gVtoggimjHTSkdLR0tlfD/vPE7n3FFHZ+7cGU2njd/mnuf/f/e/3//fc0S4IeeS+SgRcJFSmgFCMgmwA/8AClhAaQcB',
    '6aAUj9sexn9YOU+WGsllNESnMdexoSo2GoTNAIWd2b8tktiaT03Eukwgq8KcG0TRwjppCAyMNoLSr43xRoH3RAcpDqBzjlzukzdI9uWBAoHQt4',
    'yAgACCacNhJzgkBoHqsUbnAmObGqdBdoqW6Qto/ymha8Aqt/0Ff2HRgSsiJcgjfm7KSNTg6mkdDu8PRrBm9dwCk9TH7/O482ISP8xWv+xR0HSS',
    'W94/zvjo1BZujxBw7awOp/K3scyEKhwsCq3vZmQi49MO1bUsYkOMgFk1cFoReF67E4kxotyXbMCT11MwmCR0/JLkscwkLfL2alFaFAFxMYH7hm',
    '04Vzckr1eDTwLXiyNx4ViY3P7WZ0X1g1HZuBJSdoloKI+S9cHx9M006lsm1Myri+8I+9ZLzvtH7NDXD3t1ztH7x4aSm8MYtNjlfvHxcDky6yag',
    'LwyXn/y7VjdZfIaTg6+50Ty6nBH6wgism0BqvDOUhm4JnX3KytYwaWQlaRAT6TLF9fGlV1plwxtEbxMhWoLdUU5FGXsWFNeUnAhH5Rndckpyp5',
    'X3LBhj6jf2SMjZo0VCdJBsa15SlprXCKStYL70NisRrRNQdV63qh4cYIVJX+T8bG09rj37Yr2+p/cIhAa7En5mzpN9eqJWrojuyE52im5q1lUD',
    'wkKEtRPwhVCtckVSc6aEgP6AtghsEdgioEiAHwrwn8B9s0JEDexYcNJ9cm7BVf3mFOq4adCK+6+mPMZHxu1+7V+kYBAJBEaAehDg9b/1/ax8fG',
    '1X+BeYfttgejkJb/C1n4P7JhkV/akaB9oJIeonhw0G4zVts9ODQmdjQhc7aNYi8KjpaE7olrPAOBZ/iz0+I1CgMLSNxd3lTWcaPiP2CSmuAJTU',
    'Oy+Qm+bYzqTfMGGNy+c++ZDHP1W+nhOUsUtD5oZezwnppA48cr+e/wUAAP//eBeNoQAAAAZJREFUAwB8jDO+pxZtFQAAAABJRU5ErkJggg==',
  ].join(''),
}

/** Its arch in black, for the menu bar of macOS, which colours it itself. */
export const template: Picture = {
  small: [
    'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAAA60lEQVR4nOzST4vBQRjA8Vm7tdtu7W5be6CkRMnB0d3JyUkuclS8Eq9Cjk5ucl',
    'G8AS44oIibkr9HJ76TR6ZBv+Rq6tP8nmdmnuY3My71YHtzGA9JP7g1wXUl94kStugL/V3Elz35xYrDqMKPJnqSjyCGERLmjswCH+jiD2nUreJx',
    'lLGQgjudfDUmFKR6BjV12caYIC/rGvYOppgjai38xr8U0K2jjucU1MHpEH/gQ9tanMNSHf+9IrkWAvg1C/ikX1gFsup81Ul4MJPYq5TzO3A7xF',
    'ffwV3tWeB8C1vpV9Z4Cu9GPMQae2x04gAAAP//Zap2hgAAAAZJREFUAwDlzCapo6ItKAAAAABJRU5ErkJggg==',
  ].join(''),
  large: [
    'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAYAAABzenr0AAAB8UlEQVR4nOyXyytEURzHfwbjsSBKmdR4FGLjUUgpJRQ2s/QXmKykLEaUbCyssb',
    'K0sFLelJ3ySGKhiDz2EqNIU4Pvr3tunTndM/fOpe7mfuvT3HPO757zvb97zplzA+SxAuSxPDeQTe7ExkOgXvyyPsEPZaicDGLZbAQMg0FQqLSz',
    'gS2wCjZA0kGflOUghp92BMRAJTnTE5gDy2STFTsDxWAddJM77ZORsTdyYaAEnIJapf4K7IJjAatTMAQalfhb0KEzoTPAaWf3vVJdAsyAefCtuY',
    '/nSUzE5Ur1B6CfLF6HbhVMgKhUvhNm1ij9O+W2Q7AJ+kCpqK8BcXCi3mCVgTIyJpE5y/nJm8ANZaYGcAmCovwOqsCrHGS1EUUpdYlNuhicdQ2m',
    'pXIRGaspRVYZuADN4voIdJGLDUbqnydymyifgXY5QM1AWBqctWAzeB4YBytkrIwl0CO1872LUpmNhOQO1J2wVSnfk14FZLzjOqV+FEyRsRFZ9c',
    'FjbJsFNQPq9vpAeo1ZDG5qFpRrDKSMoRpQy3HSqyVNG2fW3JBelLagGuhWFTbtYXKgvxiwuzdIDuSfiHwDvgHfgG/AcwPqfp6Qrvkwke7rhj86',
    '9tK0n4vfpOjLPH19yUHqkYz/wx9BPhkfJBH6H+2AAfABqsGz2fALAAD//7Wug7YAAAAGSURBVAMApBhRqB3zUDsAAAAASUVORK5CYII=',
  ].join(''),
}

/** A dot over the taskbar’s icon on Windows: something waits. */
export const dot: Picture = {
  small: [
    'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAABDElEQVR4nKSTu2oCQRSGzxkXkkCKWCps3iBgaUj6kDxAQBBv+AI+ia2FIIjWYq',
    'Uv4KXcxt4LWKqFoI1znDM6i3iBGf2rnbPzfTOzc1bAg/HOC8ta4m0deSkRYhIJElwjhACJhq+7TTmaD1an8/F0MGt8/RJBVRXj11YjgDkiFP10',
    'r3MhmNY/fxBFF2yC8GckWjBpfkdR0kgNYja83smT/PD/BwvBhciOsrbwcdU4bkWGn7VAAiXBMYbRt6A+jLPAMHoH6kzP4BjDaIG67wAcYxhxGL',
    'kLDKMFnicrqoFWtizPZSYUxFLDMQpZsBUoQ46ZUMDx04MWdxg3yU2O36k579l+G8KTnOWhn+me7AEAAP//6l4QfgAAAAZJREFUAwCCT1+Kurr0',
    'hgAAAABJRU5ErkJggg==',
  ].join(''),
  large: [
    'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAYAAABzenr0AAACZElEQVR4nMSXzWsTQRjGn3eSqPXjJH7QZKGIFRERi2A1EalXBRWLPWjTQFH8Jx',
    'Rr/SsELbY9WKuCF73qoU3Modh6FDxtE6repJiENvP6TjFfbmLiurv5HcJ8vDvPs7OTmXkVuoxClwl3GsiPTkVyu7ad10wXwXQahF5iHNjqI3wF',
    'I6/AWYToTXS9uEB3ljY6GZfaCr8bCufsjVuacE+Ce9EBDOSJ9YOYtX2KLrzfhBsDPAFlH4qPEGFSwvrhBsZngr4bTWZeyjjcLKTlGsgfTlyXh6',
    'ZcixsIRxj01J6JX24d0gR7Nj4sfudB5M0iZdZK0Y3o6OLztgbs6cETUKEP0tUDT+GC0pyIpjIf61sb3pDnEWIVfua9uIF6ykQzRqOlgVwxcVum',
    '5Bh8goiOG42Gtkrh+5PEnmIEX6RlH/yE+dtOVe7fO5r9YarVGShFeNh3cQPR/oIOXatUqwY00RACQrTOOAwQcx8CQrSOVsq1s4DQh6AgOlgpVm',
    'eAudboNwx2GugWtTVAvIaAINCaw4Ac6oEZkO/tNCCXimUERZ1W7RNAv0ZAyJY8V9P9DcvBvTobX5LeAfjLipVcPFmp1C1C80/kSfgMQ0/U1xvu',
    'AwHMQsPbGxr2ATMLFMK4uTzAc2RMvTn2Z6tjI4rdTC/LXp2Cp9qs5TdppbKf0M7AlomxzAvWfFUe/In/Vy+Q4itWMv2qWe9f84Lc9NkBTWrO3G',
    '7hSluu5UQjseTCSquQjhKTVbs0zqTu/0tiohgPo1bksevExDGoSc127ziHMl/SoEFHagbOyWBpVnhrrZcynqVmftP14/gXAAAA///ljlFIAAAA',
    'BklEQVQDAAzP0OqnoMvSAAAAAElFTkSuQmCC',
  ].join(''),
}
